//! What is kept of a Service, so that its backends can be made again without a look at any route.

use model::{Backend, BackendKey, Problem, RouteTable};

use super::make::{Made, Maker};
use crate::problems::Problems;
use crate::reference::Port;
use crate::{Objects, Settings};

/// The backends of a Service, and what is wrong with it and with its slices. No other backend tells of these objects,
/// so the limit and the order of their problems need no look at any others either.
#[derive(Clone, Debug)]
pub(crate) struct OfService {
    /// The places of its backends in the table, and the port each is for.
    pub(crate) ports: Vec<(u32, Port)>,
    /// Sorted, each once.
    pub(crate) problems: Vec<Problem>,
}

/// What comes of making the backends of a Service again.
pub(crate) struct Again {
    /// The backends that are others than before, by their place.
    pub(crate) backends: Vec<(u32, Backend)>,
    /// Sorted, each once.
    pub(crate) problems: Vec<Problem>,
    /// Those that endpoints of before serve from now on.
    pub(crate) pending: Vec<BackendKey>,
}

impl OfService {
    pub(crate) fn make_again(&self, objects: &Objects, settings: &Settings, table: &RouteTable) -> Again {
        let (maker, mut problems, mut pending) =
            (Maker::new(objects, settings), Problems::default(), Vec::new());
        let mut make = |(place, port): &(u32, Port)| {
            let old = &table.backends()[*place as usize];
            let before = (!settings.reference_timeout.is_zero()).then_some(&**old);
            let Made { backend: new, is_pending, .. } = maker.make(&old.key, port, before, &mut problems);
            pending.extend(is_pending.then(|| old.key.clone()));
            (new != **old).then_some((*place, new))
        };
        let backends = self.ports.iter().filter_map(&mut make).collect();
        Again { backends, problems: problems.finish(), pending }
    }
}
