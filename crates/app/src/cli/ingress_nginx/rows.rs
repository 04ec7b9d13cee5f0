//! Each flag of ingress-nginx' controller (v1.15), and what it becomes.

/// What a flag becomes.
pub(super) enum As {
    /// A flag of ours with the same value, unless that is empty.
    Value(&'static str),
    /// A flag of ours that takes an address: this port of all.
    Port(&'static str),
    /// A flag of ours that takes a time.
    Seconds(&'static str),
    /// A switch of ours.
    Switch(&'static str),
    /// A switch of ours that is on where this one is off.
    Opposite(&'static str),
    /// The address of the health checks.
    HealthHost,
    /// Nothing, and why: a switch.
    Nothing(&'static str),
    /// Nothing, and why: it takes a value.
    NothingFor(&'static str),
    /// Nothing, and why, if it is on.
    Told(&'static str),
}

impl As {
    /// Whether the argument behind it may be its value.
    pub(super) fn takes_value(&self) -> bool {
        match self {
            As::Value(_) | As::Port(_) | As::Seconds(_) | As::HealthHost | As::NothingFor(_) => true,
            As::Switch(_) | As::Opposite(_) | As::Nothing(_) | As::Told(_) => false,
        }
    }
}

const ADMISSION: &str = "there is no admission webhook, so delete its ValidatingWebhookConfiguration, or Ingresses cannot \
                         be changed any more; what is wrong with one is told beside it, and by the command check";
const DATABASE: &str = "addresses are not looked up in a database";
const INTERNAL: &str = "there is no such part";
const KLOG: &str = "the log is set by SLUICEGATE_LOG";
const METRICS: &str = "metrics are always there, at /metrics of --admin, with buckets of their own";
const TIMING: &str = "changes are live at once, and status is written when it changes";

pub(super) const ROWS: &[(&str, As)] = &[
    ("alsologtostderr", As::Nothing(KLOG)),
    ("annotations-prefix", As::Value("annotations-prefix")),
    ("apiserver-host", As::NothingFor("name the API server in a kubeconfig")),
    ("bucket-factor", As::NothingFor(METRICS)),
    ("certificate-authority", As::NothingFor("name it in a kubeconfig")),
    ("configmap", As::Value("configmap")),
    ("controller-class", As::Value("controller-name")),
    ("deep-inspect", As::Nothing("values are never pasted into a configuration")),
    ("default-backend-service", As::Value("default-backend-service")),
    ("default-server-port", As::NothingFor(INTERNAL)),
    ("default-ssl-certificate", As::Value("default-certificate")),
    ("disable-catch-all", As::Switch("disable-catch-all")),
    ("disable-full-test", As::Nothing(ADMISSION)),
    (
        "disable-leader-election",
        As::Told("replicas agree by a Lease on which of them writes status and Events"),
    ),
    ("disable-svc-external-name", As::Switch("disable-svc-external-name")),
    ("disable-sync-events", As::Nothing("Events are written of problems alone; --no-events writes none")),
    ("dynamic-configuration-retries", As::NothingFor(INTERNAL)),
    ("election-id", As::Value("lease")),
    ("election-ttl", As::NothingFor("the Lease has times of its own")),
    ("enable-annotation-validation", As::Nothing("annotations are always validated")),
    ("enable-metrics", As::Nothing(METRICS)),
    ("enable-ssl-chain-completion", As::Told("put the whole chain into the Secret")),
    ("enable-ssl-passthrough", As::Switch("enable-ssl-passthrough")),
    ("enable-topology-aware-routing", As::Told("requests go to endpoints of all zones")),
    ("exclude-socket-metrics", As::NothingFor(METRICS)),
    ("health-check-path", As::NothingFor("health is answered at /healthz and /ready")),
    ("health-check-timeout", As::NothingFor("health is answered at once")),
    ("healthz-host", As::HealthHost),
    ("healthz-port", As::Port("health")),
    ("http-port", As::Port("http")),
    ("https-port", As::Port("https")),
    ("ingress-class", As::Value("class")),
    ("ingress-class-by-name", As::Nothing("--class is by name, whatever the IngressClass says")),
    ("internal-logger-address", As::NothingFor(INTERNAL)),
    ("kubeconfig", As::Value("kubeconfig")),
    ("length-buckets", As::NothingFor(METRICS)),
    ("log_backtrace_at", As::NothingFor(KLOG)),
    ("log_dir", As::NothingFor(KLOG)),
    ("log_file", As::NothingFor(KLOG)),
    ("logtostderr", As::Nothing(KLOG)),
    ("max-buckets", As::NothingFor(METRICS)),
    ("maxmind-edition-ids", As::NothingFor(DATABASE)),
    ("maxmind-license-key", As::NothingFor(DATABASE)),
    ("maxmind-mirror", As::NothingFor(DATABASE)),
    ("maxmind-retries-count", As::NothingFor(DATABASE)),
    ("maxmind-retries-timeout", As::NothingFor(DATABASE)),
    ("metrics-per-host", As::Nothing(METRICS)),
    ("metrics-per-undefined-host", As::Nothing(METRICS)),
    ("monitor-max-batch-size", As::NothingFor(METRICS)),
    ("post-shutdown-grace-period", As::NothingFor("the process ends when the last client has left")),
    ("profiler-address", As::NothingFor(INTERNAL)),
    ("profiler-port", As::NothingFor(INTERNAL)),
    ("profiling", As::Nothing(INTERNAL)),
    ("publish-service", As::Value("publish-service")),
    ("publish-status-address", As::Value("publish-address")),
    ("report-node-internal-ip-address", As::Told("name the addresses with --publish-address")),
    ("report-status-classes", As::Nothing(METRICS)),
    ("shutdown-grace-period", As::Seconds("lame-duck-time")),
    ("size-buckets", As::NothingFor(METRICS)),
    ("ssl-passthrough-proxy-port", As::NothingFor(INTERNAL)),
    ("status-port", As::NothingFor(INTERNAL)),
    ("status-update-interval", As::NothingFor(TIMING)),
    ("stderrthreshold", As::NothingFor(KLOG)),
    ("stream-port", As::NothingFor(INTERNAL)),
    ("sync-period", As::NothingFor(TIMING)),
    ("sync-rate-limit", As::NothingFor(TIMING)),
    ("tcp-services-configmap", As::Value("tcp-services-configmap")),
    ("time-buckets", As::NothingFor(METRICS)),
    (
        "udp-services-configmap",
        As::NothingFor("UDP services are not served: give them a Service of their own"),
    ),
    ("update-status", As::Opposite("no-status")),
    (
        "update-status-on-shutdown",
        As::Nothing("status stays: the next process will serve the same addresses"),
    ),
    ("v", As::NothingFor(KLOG)),
    ("validating-webhook", As::NothingFor(ADMISSION)),
    ("validating-webhook-certificate", As::NothingFor(ADMISSION)),
    ("validating-webhook-key", As::NothingFor(ADMISSION)),
    ("vmodule", As::NothingFor(KLOG)),
    ("watch-ingress-without-class", As::Switch("watch-ingress-without-class")),
    ("watch-namespace", As::Value("watch-namespace")),
    ("watch-namespace-selector", As::Value("watch-namespace-selector")),
];
