//! Where the Service that status shows can be reached.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;

/// Where a Service of type LoadBalancer can be reached, else its external addresses.
pub(in crate::cluster) fn addresses(service: &Service) -> Vec<IngressLoadBalancerIngress> {
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let reached: Vec<_> = balancer
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|at| IngressLoadBalancerIngress {
            ip: at.ip.clone(),
            hostname: at.hostname.clone(),
            ports: None,
        })
        .collect();
    if !reached.is_empty() {
        return reached;
    }
    let external = service.spec.as_ref().and_then(|spec| spec.external_ips.as_deref()).unwrap_or_default();
    let at = |ip: &String| IngressLoadBalancerIngress { ip: Some(ip.clone()), ..Default::default() };
    external.iter().map(at).collect()
}
