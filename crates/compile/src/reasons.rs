//! The words a [`Problem`](model::Problem) of this crate can have as its reason. They are labels of metrics and keys
//! in scripts: a closed set, never renamed.

/// An object names another one that does not exist.
pub const DANGLING_REFERENCE: &str = "dangling-reference";
/// An Ingress names no class, and no class is the default.
pub const NO_CLASS: &str = "no-class";
/// An IngressClass has the name of our class and says that it is another controller's.
pub const FOREIGN_CLASS: &str = "foreign-class";
/// There are Ingresses, and none of them is ours.
pub const NO_ROUTES: &str = "no-routes";
/// A Service has no such port, or none for TCP.
pub const MISSING_PORT: &str = "missing-port";
/// Nothing says where the endpoints of a Service are: it has no EndpointSlice, or none with the port.
pub const NO_ENDPOINT_SLICE: &str = "no-endpoint-slice";
/// `spec.rules[].host` is no host.
pub const INVALID_HOST: &str = "invalid-host";
/// A path is not one that a request could have.
pub const INVALID_PATH: &str = "invalid-path";
/// `pathType` is missing or unknown.
pub const INVALID_PATH_TYPE: &str = "invalid-path-type";
/// A path looks like a pattern; it is matched literally.
pub const PATTERN_PATH: &str = "pattern-path";
/// A backend does not name one port of one Service.
pub const INVALID_BACKEND: &str = "invalid-backend";
/// What an Ingress or a Service names is not there yet, and endpoints of before serve in its place for a while.
pub const PENDING_REFERENCE: &str = "pending-reference";
/// An Ingress or a rule has nothing to serve requests with.
pub const NOTHING_TO_SERVE: &str = "nothing-to-serve";
/// Another rule for the same host and path is served.
pub const CONFLICT: &str = "conflict";
/// An annotation has a value it cannot have.
pub const INVALID_ANNOTATION: &str = "invalid-annotation";
/// An annotation with our prefix that we do not know.
pub const UNKNOWN_ANNOTATION: &str = "unknown-annotation";
/// What an annotation asks for does not apply here.
pub const NO_EFFECT: &str = "no-effect";
/// An annotation of another controller that this version does not honour.
pub const UNSUPPORTED_ANNOTATION: &str = "unsupported-annotation";
/// An annotation that restricts access cannot be honoured: the Ingress is answered 503.
pub const DENIED: &str = "denied";
/// An address that must not be reached through an ingress, as loopback or link-local.
pub const FORBIDDEN_ADDRESS: &str = "forbidden-address";
/// An EndpointSlice has an address, an address type or a port that cannot be used.
pub const INVALID_ENDPOINT: &str = "invalid-endpoint";
/// `spec.externalName` of a Service is not a DNS name that may be used.
pub const INVALID_EXTERNAL_NAME: &str = "invalid-external-name";
/// The DNS name of an ExternalName Service could not be resolved.
pub const UNRESOLVED_NAME: &str = "unresolved-name";
/// A Secret for TLS has no certificate or no key.
pub const INCOMPLETE_SECRET: &str = "incomplete-secret";
/// An object has more problems than are told.
pub const MORE_PROBLEMS: &str = "more-problems";

/// All of them, sorted.
pub const ALL: [&str; 25] = [
    CONFLICT,
    DANGLING_REFERENCE,
    DENIED,
    FORBIDDEN_ADDRESS,
    FOREIGN_CLASS,
    INCOMPLETE_SECRET,
    INVALID_ANNOTATION,
    INVALID_BACKEND,
    INVALID_ENDPOINT,
    INVALID_EXTERNAL_NAME,
    INVALID_HOST,
    INVALID_PATH,
    INVALID_PATH_TYPE,
    MISSING_PORT,
    MORE_PROBLEMS,
    NO_CLASS,
    NO_EFFECT,
    NO_ENDPOINT_SLICE,
    NO_ROUTES,
    NOTHING_TO_SERVE,
    PATTERN_PATH,
    PENDING_REFERENCE,
    UNKNOWN_ANNOTATION,
    UNRESOLVED_NAME,
    UNSUPPORTED_ANNOTATION,
];
