//! What serves in the place of endpoints.

use model::{BackendKey, Pages, ResponseFilter};

use super::RouteSettings;

/// What is asked for in the place of endpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageSettings {
    /// The statuses of answers that are replaced, sorted.
    pub(crate) statuses: Vec<u16>,
    /// Whether the object says so itself: then its own backend serves them, if it has one.
    pub(crate) are_own: bool,
    /// Answers of endpoints stay as they are.
    pub(crate) spare_endpoints: bool,
    /// The Service that serves in the place of one without endpoints, and the field that names it.
    pub(crate) default_backend: Option<(String, String)>,
}

/// The backends that serve in the place of endpoints, as far as they are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageBackends {
    /// The object's own.
    pub(crate) own: Option<BackendKey>,
    /// The operator's.
    pub(crate) general: Option<BackendKey>,
}

/// The filter that lets them serve.
pub(super) fn build(asked: &RouteSettings, backends: &PageBackends) -> Option<ResponseFilter> {
    let PageSettings { statuses, are_own, spare_endpoints, .. } = &asked.pages;
    let PageBackends { own, general } = backends;
    if statuses.is_empty() && own.is_none() {
        return None;
    }
    let by = own.as_ref().filter(|_| *are_own).or(general.as_ref()).filter(|_| !statuses.is_empty());
    Some(ResponseFilter::Pages(Pages {
        statuses: statuses.as_slice().into(),
        of_endpoints: !spare_endpoints,
        by: by.cloned(),
        instead: own.clone(),
    }))
}
