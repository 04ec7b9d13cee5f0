//! What few exchanges need: other backends in the place of their own, and pages of other origins.

use std::cell::OnceCell;
use std::rc::Rc;

use http::HeaderValue;
use http::request::Parts;
use model::{BackendKey, FieldText, Route, Template};

use super::Exchange;
use crate::upstream::{BackendPool, Upstreams};

/// What few requests need, apart from the others so that these keep no room for it.
#[derive(Default)]
pub(super) struct Beside {
    /// What a page for an error would be asked for with.
    kept: Option<Kept>,
    /// Whose place another backend takes, and for what.
    instead_of: Option<Instead>,
    /// The origin of the page that may read the answer, in the words of `Access-Control-Allow-Origin`.
    origin: OnceCell<HeaderValue>,
    /// What the templates of its route's edits come to.
    filled: OnceCell<Vec<(Template, HeaderValue)>>,
}

/// What a page for an error is asked for with.
pub(crate) struct Kept {
    /// The head of the request, as it came.
    pub(crate) head: Parts,
    pub(crate) upstreams: Rc<Upstreams>,
}

/// Another backend serves in the place of a route's own.
struct Instead {
    own: BackendKey,
    /// It shows a page for an error.
    is_page: bool,
}

impl Exchange {
    /// What a page may be asked for with.
    pub(crate) fn keep(&mut self, kept: Kept) {
        self.beside_mut().kept = Some(kept);
    }

    /// Whether a page may be asked for.
    pub(crate) fn has_kept(&self) -> bool {
        self.beside.get().is_some_and(|beside| beside.kept.is_some())
    }

    /// What it is asked for with.
    pub(crate) fn take_kept(&mut self) -> Option<Kept> {
        self.beside_mut().kept.take()
    }

    fn beside_mut(&mut self) -> &mut Beside {
        self.beside.get_or_init(Box::default);
        self.beside.get_mut().expect("it was made just now")
    }

    fn instead_of(&self) -> Option<&Instead> {
        self.beside.get()?.instead_of.as_ref()
    }

    /// Another backend serves it, since its own has no endpoint.
    pub(crate) fn stand_in(&mut self, pool: Rc<BackendPool>) {
        self.lead_to(pool, false);
    }

    /// Another backend shows a page in the place of an answer.
    pub(crate) fn show_page(&mut self, pool: Rc<BackendPool>) {
        self.lead_to(pool, true);
    }

    fn lead_to(&mut self, pool: Rc<BackendPool>, is_page: bool) {
        let own = self.pool.replace(pool).map(|own| own.cells.key.clone());
        let beside = self.beside_mut();
        let own = own.map(|own| beside.instead_of.take().map_or(own, |instead| instead.own));
        beside.instead_of = own.map(|own| Instead { own, is_page });
    }

    /// Whether another backend serves it.
    pub(crate) fn stands_in(&self) -> bool {
        self.instead_of().is_some()
    }

    /// Whether what is answered is a page for an error.
    pub(crate) fn shows_page(&self) -> bool {
        self.instead_of().is_some_and(|instead| instead.is_page)
    }

    /// The route and the backend whose place another one takes.
    pub(crate) fn origin_of_pages(&self) -> Option<(&Route, &BackendKey)> {
        let of_pool = || self.pool.as_ref().map(|pool| &pool.cells.key);
        let own = self.instead_of().map(|instead| &instead.own).or_else(of_pool)?;
        Some((self.route.as_deref()?, own))
    }

    /// What the templates of its route's edits come to.
    pub(crate) fn fill(&self, filled: Vec<(Template, HeaderValue)>) {
        let _ = self.beside.get_or_init(Box::default).filled.set(filled);
    }

    /// The value that a field is set to; none if it comes to none.
    pub(crate) fn value_of(&self, text: &FieldText) -> Option<HeaderValue> {
        match text {
            FieldText::Fixed(text) => HeaderValue::from_str(text).ok(),
            FieldText::Filled(template) => {
                let filled = self.beside.get()?.filled.get()?;
                let (_, value) = filled.iter().find(|(other, _)| other == template)?;
                (!value.is_empty()).then(|| value.clone())
            }
        }
    }

    /// Pages of this origin may read the answer.
    pub(crate) fn note_origin(&self, origin: HeaderValue) {
        let _ = self.beside.get_or_init(Box::default).origin.set(origin);
    }

    /// The origin of the page that may read the answer.
    pub(crate) fn origin(&self) -> Option<&HeaderValue> {
        self.beside.get()?.origin.get()
    }
}
