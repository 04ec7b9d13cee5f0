//! The ports that are passed on, before and after.

use std::collections::BTreeMap;

use model::RouteTable;

use super::{Change, Kind, Weight};

/// Who loses a port, or comes to another Service by it, is warned of.
pub(super) fn between(before: &RouteTable, after: &RouteTable) -> Vec<Change> {
    let (mut was, is) = (in_words(before), in_words(after));
    let change = |port: u16, weight, kind, text| Change::new(weight, kind, format!("TCP port {port}"), text);
    let mut changes = Vec::new();
    for (port, is) in is {
        match was.remove(&port) {
            None => changes.push(change(port, Weight::Plain, Kind::Added, format!("leads to {is}"))),
            Some(was) if was == is => {}
            Some(was) => {
                let text = format!("leads to {is}, and no longer to {was}");
                changes.push(change(port, Weight::Warning, Kind::Changed, text));
            }
        }
    }
    let gone = was.into_iter().map(|(port, was)| {
        change(port, Weight::Warning, Kind::Removed, format!("is closed; it led to {was}"))
    });
    changes.extend(gone);
    changes
}

/// By port, where each leads and how.
fn in_words(table: &RouteTable) -> BTreeMap<u16, String> {
    let words = |service: &model::TcpService| {
        let backend = &table.backend_at(service.backend).key;
        let read = if service.reads_proxy_header { ", after a PROXY header" } else { "" };
        format!("{backend}{read}, with an idle timeout of {:?}", service.idle_timeout)
    };
    table.tcp_services().map(|service| (service.port, words(service))).collect()
}
