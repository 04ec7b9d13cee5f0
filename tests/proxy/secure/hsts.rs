//! What clients that speak https are told of it.

use compile::Profile;
use model::{Filters, Policy, RequestFilter};
use system_tests::{Client, Upstream, sluice};

use super::Edge;

const FIELD: &str = "strict-transport-security";

#[test]
fn clients_that_speak_https_are_told_to_stay_with_it_in_every_answer_and_others_are_not() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[]);
    let plain = sluice::Sluice::start(&[]);
    let at = Profile::IngressNginx.edge();
    for (filters, status) in [(vec![], 200), (vec![RequestFilter::Deny], 503)] {
        let filters = Filters::new(filters, vec![]);
        let policy = || Policy { filters: filters.clone(), edge: at.clone(), ..Policy::default() };
        for gate in [&edge.sluice, &plain] {
            gate.publish_table(sluice::table_with(2, policy(), &[sluice::ready(upstream.address)]));
        }
        let answer = edge.connect("a.test").get("a.test", "/").unwrap();
        let told = answer.field(FIELD);
        assert_eq!((answer.status(), told.as_deref()), (status, Some("max-age=31536000; includeSubDomains")));
        let answer = Client::connect(plain.address).get("/");
        assert_eq!((answer.status(), answer.field(FIELD)), (status, None));
    }
}
