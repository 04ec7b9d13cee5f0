//! A call that failed, and what to do about it.

use std::error::Error;

use aws_sdk_elasticloadbalancing::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// No cause is told in more than this: the SDK tells the whole chain.
const WHY_BYTES_MAX: usize = 400;
/// What the SDK says where nothing gives it credentials.
const NO_CREDENTIALS: [&str; 2] = ["credentials", "identity"];

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}; {}", kind.remedy())]
pub struct Fault {
    /// Which call, or which other step.
    pub what: String,
    /// What kind of failure it is.
    pub kind: Kind,
    /// The cause, in AWS' words where it answered.
    pub why: String,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such load balancer or target group.
    NotFound,
    /// This instance or target is not registered there, or not known to AWS.
    UnknownTarget,
    /// The role may not do that.
    Denied,
    /// No credentials, or none that are good.
    Credentials,
    /// Too many calls.
    Throttled,
    /// No answer.
    Unreachable,
    /// The region is not known.
    Region,
    /// This instance does not know itself.
    Identity,
    /// Anything else.
    Other,
}

impl Kind {
    /// In one word, for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::NotFound => "not_found",
            Kind::UnknownTarget => "unknown_target",
            Kind::Denied => "denied",
            Kind::Credentials => "credentials",
            Kind::Throttled => "throttled",
            Kind::Unreachable => "unreachable",
            Kind::Region => "region",
            Kind::Identity => "identity",
            Kind::Other => "other",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Kind::NotFound => "it may have been deleted or replaced: load balancers are discovered anew",
            Kind::UnknownTarget => {
                "see that this instance runs in the account, the region and the VPC of the load balancer"
            }
            Kind::Denied => "grant the role of this pod or instance the rights in deploy/aws/iam",
            Kind::Credentials => {
                "give the pod a role (IRSA, EKS Pod Identity) or the instance a profile, and look at the clock"
            }
            Kind::Throttled => "raise --frontend-interval if it goes on; it is tried again, more slowly",
            Kind::Unreachable => {
                "see that AWS' endpoint for Elastic Load Balancing can be reached from here; it is tried again"
            }
            Kind::Region => "name it with --aws-region",
            Kind::Identity => {
                "let this pod reach the instance metadata service (hostNetwork, or a hop limit of 2), or say it with \
                 --frontend-instance-id and --frontend-address"
            }
            Kind::Other => "it is tried again",
        }
    }
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, kind: Kind, why: impl Into<String>) -> Fault {
        Fault { what: what.into(), kind, why: why.into() }
    }

    /// What the SDK says of a call.
    pub(super) fn of<E, R>(what: &str, error: &SdkError<E, R>) -> Fault
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        if let Some(code) = error.code() {
            let why = format!("{code}: {}", error.message().unwrap_or("no message"));
            return Fault::new(what, by_code(code), cut(why));
        }
        let why = DisplayErrorContext(error).to_string();
        let kind = match error {
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
                Kind::Unreachable
            }
            SdkError::TimeoutError(_) => Kind::Unreachable,
            _ if why.contains("region") && why.contains("endpoint") => Kind::Region,
            _ if NO_CREDENTIALS.iter().any(|word| why.contains(word)) => Kind::Credentials,
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Kind::Unreachable,
            _ => Kind::Other,
        };
        Fault::new(what, kind, cut(why))
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }
}

/// By AWS' code: those of the models of both services, and those that all services share.
fn by_code(code: &str) -> Kind {
    match code {
        "LoadBalancerNotFound" | "TargetGroupNotFound" | "AccessPointNotFound" => Kind::NotFound,
        "InvalidInstance" | "InvalidTarget" => Kind::UnknownTarget,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "OperationNotPermitted" => {
            Kind::Denied
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "AuthFailure" => Kind::Credentials,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" => {
            Kind::Throttled
        }
        "ServiceUnavailable" | "InternalFailure" | "InternalError" => Kind::Unreachable,
        _ => Kind::Other,
    }
}

fn cut(mut why: String) -> String {
    if let Some((end, _)) = why.char_indices().find(|(at, _)| *at > WHY_BYTES_MAX) {
        why.truncate(end);
        why.push('…');
    }
    why
}
