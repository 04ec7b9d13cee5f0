//! Pages of other origins.

use std::sync::Arc;

use model::{Cors, Origins, RequestFilter, ResponseFilter};

use super::RouteSettings;

/// What is said of pages of other origins.
#[derive(Clone, Debug)]
pub(crate) struct CorsSettings {
    /// Whether it holds.
    pub(crate) enabled: bool,
    /// What browsers are told.
    pub(crate) cors: Cors,
}

impl Default for CorsSettings {
    /// As ingress-nginx has it.
    fn default() -> CorsSettings {
        let headers = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization";
        let cors = Cors {
            origins: Origins::Any,
            methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS".into(),
            headers: headers.into(),
            expose: None,
            credentials: true,
            max_age: 1_728_000,
        };
        CorsSettings { enabled: false, cors }
    }
}

/// The filters that tell browsers, unless no origin may be told anything.
pub(super) fn build(asked: &RouteSettings) -> Option<(RequestFilter, ResponseFilter)> {
    let CorsSettings { enabled, cors } = &asked.cors;
    let is_none = matches!(&cors.origins, Origins::Some(origins) if origins.is_empty());
    (*enabled && !is_none).then(|| {
        let cors = Arc::new(cors.clone());
        (RequestFilter::Cors(Arc::clone(&cors)), ResponseFilter::Cors(cors))
    })
}
