//! The words a [`Problem`](model::Problem) of this crate can have as its reason. They are labels of metrics and keys
//! in scripts: a closed set, never renamed.

/// Makes a constant of each reason, and `ALL` of them.
#[macro_export]
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        $($(#[$doc])* pub const $name: &str = $word;)*

        /// All of them.
        pub const ALL: [&str; [$($word,)*].len()] = [$($name,)*];
    };
}

reasons! {
    /// An object names another one that does not exist.
    DANGLING_REFERENCE = "dangling-reference",
    /// An Ingress names no class, and no class is the default.
    NO_CLASS = "no-class",
    /// An IngressClass has the name of our class and says that it is another controller's.
    FOREIGN_CLASS = "foreign-class",
    /// An Ingress may have been written for ingress-nginx, and is read by our own rules.
    PROFILE_IN_DOUBT = "profile-in-doubt",
    /// There are Ingresses, and none of them is ours.
    NO_ROUTES = "no-routes",
    /// A Service has no such port, or none for TCP.
    MISSING_PORT = "missing-port",
    /// Nothing says where the endpoints of a Service are: it has no EndpointSlice, or none with the port.
    NO_ENDPOINT_SLICE = "no-endpoint-slice",
    /// `spec.rules[].host` is no host.
    INVALID_HOST = "invalid-host",
    /// A path is not one that a request could have.
    INVALID_PATH = "invalid-path",
    /// `pathType` is missing or unknown.
    INVALID_PATH_TYPE = "invalid-path-type",
    /// A path looks like a pattern; it is matched literally.
    PATTERN_PATH = "pattern-path",
    /// A backend does not name one port of one Service.
    INVALID_BACKEND = "invalid-backend",
    /// What an Ingress or a Service names is not there yet, and endpoints of before serve in its place for a while.
    PENDING_REFERENCE = "pending-reference",
    /// An Ingress or a rule has nothing to serve requests with.
    NOTHING_TO_SERVE = "nothing-to-serve",
    /// Another rule for the same host and path is served.
    CONFLICT = "conflict",
    /// An annotation has a value it cannot have.
    INVALID_ANNOTATION = "invalid-annotation",
    /// An annotation with our prefix that we do not know.
    UNKNOWN_ANNOTATION = "unknown-annotation",
    /// What an annotation asks for does not apply here.
    NO_EFFECT = "no-effect",
    /// An annotation of another controller that this version does not honour.
    UNSUPPORTED_ANNOTATION = "unsupported-annotation",
    /// A key of ingress-nginx' ConfigMap has a value it cannot have.
    INVALID_SETTING = "invalid-setting",
    /// Something is believed that any client may write.
    FORGEABLE = "forgeable",
    /// A key of ingress-nginx' ConfigMap that is not honoured.
    UNSUPPORTED_SETTING = "unsupported-setting",
    /// A key of the ConfigMap of TCP services is no port, or its value no port of a Service.
    INVALID_TCP_SERVICE = "invalid-tcp-service",
    /// A TCP service asks for a port that is needed for something else.
    RESERVED_PORT = "reserved-port",
    /// There are more TCP services than are served.
    TOO_MANY_SERVICES = "too-many-services",
    /// An annotation is of more risk than ingress-nginx' ConfigMap allows: the Ingress is not served, as there.
    RISKY_ANNOTATION = "risky-annotation",
    /// An annotation that restricts access cannot be honoured: the Ingress is answered 503.
    DENIED = "denied",
    /// An annotation has a value for which ingress-nginx takes no notice of the whole Ingress; nor do we.
    LEFT_OUT = "left-out",
    /// Clients have to show certificates, and there is no CA bundle that may be used: the host is answered 403.
    NO_CLIENT_CA = "no-client-ca",
    /// An address that must not be reached through an ingress, as loopback or link-local.
    FORBIDDEN_ADDRESS = "forbidden-address",
    /// An EndpointSlice has an address, an address type or a port that cannot be used.
    INVALID_ENDPOINT = "invalid-endpoint",
    /// `spec.externalName` of a Service is not a DNS name that may be used.
    INVALID_EXTERNAL_NAME = "invalid-external-name",
    /// The DNS name of an ExternalName Service could not be resolved.
    UNRESOLVED_NAME = "unresolved-name",
    /// A Secret for TLS has no certificate or no key.
    INCOMPLETE_SECRET = "incomplete-secret",
    /// An object has more problems than are told.
    MORE_PROBLEMS = "more-problems",
}
