//! The filters of a route.

use crate::{Auth, Compression, Pages, RequestFilter, ResponseFilter, Rewrite, Template, Throttle};

/// The filters of a route, each list in the order of execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filters {
    request: Box<[RequestFilter]>,
    response: Box<[ResponseFilter]>,
    /// Whether any edit of a head has variables.
    has_templates: bool,
}

impl Filters {
    /// These filters, given in any order; none if there are none.
    pub fn new(mut request: Vec<RequestFilter>, mut response: Vec<ResponseFilter>) -> Option<Box<Filters>> {
        if request.is_empty() && response.is_empty() {
            return None;
        }
        request.sort();
        response.sort();
        let mut filters = Filters { request: request.into(), response: response.into(), has_templates: true };
        let has_templates = filters.templates().next().is_some();
        filters.has_templates = has_templates;
        Some(Box::new(filters))
    }

    /// What edits of heads set fields to, as far as that has variables.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let of_requests = self.request.iter().filter_map(|filter| match filter {
            RequestFilter::Headers(edits) => Some(edits),
            _ => None,
        });
        let of_responses = self.response.iter().filter_map(|filter| match filter {
            ResponseFilter::Headers(edits) => Some(edits),
            _ => None,
        });
        let edits = of_requests.chain(of_responses).flatten();
        edits.filter(|_| self.has_templates).filter_map(|edit| edit.change.template())
    }

    /// Whether there are any.
    pub fn has_templates(&self) -> bool {
        self.has_templates
    }

    /// What is done with requests.
    pub fn request(&self) -> &[RequestFilter] {
        &self.request
    }

    /// Whether every request is refused.
    pub fn denies(&self) -> bool {
        self.request.first() == Some(&RequestFilter::Deny)
    }

    /// The word of each, in the order of execution.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let request = self.request.iter().map(RequestFilter::as_str);
        request.chain(self.response.iter().map(ResponseFilter::as_str))
    }

    /// What the target becomes, where it is another one.
    pub fn rewrite(&self) -> Option<&Rewrite> {
        self.request.iter().find_map(|filter| match filter {
            RequestFilter::Rewrite(rewrite) => Some(rewrite),
            _ => None,
        })
    }

    /// Whether heads of requests are edited.
    pub fn edit_requests(&self) -> bool {
        self.request.iter().any(|filter| matches!(filter, RequestFilter::Headers(_) | RequestFilter::Auth(_)))
    }

    /// What a request must have, if it needs a password or another server's word.
    pub fn auth(&self) -> Option<&Auth> {
        self.request.iter().find_map(|filter| match filter {
            RequestFilter::Auth(auth) => Some(&**auth),
            _ => None,
        })
    }

    /// What serves in the place of endpoints.
    pub fn pages(&self) -> Option<&Pages> {
        // It is the first one.
        match self.response.first() {
            Some(ResponseFilter::Pages(pages)) => Some(pages),
            _ => None,
        }
    }

    /// Whether responses have their fields of this name, in lower case, set or removed.
    pub fn edit_response_field(&self, name: &str) -> bool {
        self.response.iter().any(|filter| match filter {
            ResponseFilter::Headers(edits) => {
                edits.iter().any(|edit| *edit.name == *name && !edit.change.keeps())
            }
            // None of these has a place in a trailer.
            ResponseFilter::Pages(_)
            | ResponseFilter::Place(_)
            | ResponseFilter::Cookies(_)
            | ResponseFilter::Cors(_)
            | ResponseFilter::Hsts(_)
            | ResponseFilter::Compress(_)
            | ResponseFilter::Throttle(_) => false,
        })
    }

    /// How responses are compressed, if any are.
    pub fn compression(&self) -> Option<&Compression> {
        self.response.iter().find_map(|filter| match filter {
            ResponseFilter::Compress(compression) => Some(compression),
            _ => None,
        })
    }

    /// How fast responses are sent, if not as fast as may be.
    pub fn throttle(&self) -> Option<&Throttle> {
        self.response.iter().find_map(|filter| match filter {
            ResponseFilter::Throttle(throttle) => Some(throttle),
            _ => None,
        })
    }

    /// What is done with responses.
    pub fn response(&self) -> &[ResponseFilter] {
        &self.response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AddressRules, HeaderChange, HeaderEdit};

    #[test]
    fn filters_are_executed_in_the_order_of_their_variants() {
        let edits = vec![HeaderEdit { name: "x-a".into(), change: HeaderChange::Remove }];
        let headers = RequestFilter::Headers(edits);
        let addresses = RequestFilter::Addresses(AddressRules::default());
        let given = vec![headers.clone(), addresses.clone(), RequestFilter::Deny];
        let filters = Filters::new(given, Vec::new()).expect("filters");
        assert_eq!(filters.request(), [RequestFilter::Deny, addresses, headers]);
    }

    #[test]
    fn without_filters_there_is_nothing_to_look_at() {
        assert_eq!(Filters::new(Vec::new(), Vec::new()), None);
    }
}
