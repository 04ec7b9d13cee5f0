//! The upstream side of one worker: for each backend of the live table its endpoints, for each endpoint its idle
//! connections. Nothing here is shared with other workers, so nothing here takes a lock.

mod answer;
mod balance;
mod body;
mod connect;
pub(crate) mod http1;
mod http2;
mod keyed;
mod pool;
mod transport;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::{BackendKey, Cache, Published, RouteTable};
use tls::AllCredentials;

pub(crate) use self::answer::{AnswerBody, Answered};
pub(crate) use self::body::{Replay, RequestBody};
pub(crate) use self::connect::{connect, connect_socket};
pub(crate) use self::http1::{Broken, RequestHead, Unanswered};
pub(crate) use self::http2::take_slot;
pub(crate) use self::keyed::{Keyed, Stay};
pub(crate) use self::pool::{BackendPool, EndpointPool, Lease, Reuse};
use crate::config;
use crate::metrics::Cells;
use crate::timer::ticks;
use transport::Transport;

/// Ticks between two looks at the idle connections.
const SWEEP_TICKS: u32 = 20;

/// The live table as one worker sees it.
pub(crate) struct Upstreams {
    cells: Arc<Cells>,
    limits: config::Upstream,
    /// What Secrets give for handshakes with endpoints.
    credentials: Published<AllCredentials>,
    defaults: transport::Defaults,
    live: RefCell<Cache<RouteTable>>,
    view: RefCell<Rc<View>>,
    pools: RefCell<HashMap<BackendKey, Rc<BackendPool>, RandomState>>,
}

/// One snapshot of the table with this worker's pools. A request keeps the view it began with.
pub(crate) struct View {
    pub(crate) table: Arc<RouteTable>,
    pools: Vec<RefCell<Option<Rc<BackendPool>>>>,
}

impl View {
    fn new(table: Arc<RouteTable>) -> Rc<View> {
        let pools = table.backends().iter().map(|_| RefCell::default()).collect();
        Rc::new(View { table, pools })
    }
}

impl Upstreams {
    pub(crate) fn new(
        routes: &Published<RouteTable>,
        cells: Arc<Cells>,
        limits: &config::Upstream,
    ) -> Upstreams {
        let mut live = routes.cache();
        let view = View::new(Arc::clone(live.load()));
        let (live, view) = (RefCell::new(live), RefCell::new(view));
        Upstreams {
            cells,
            limits: limits.clone(),
            credentials: limits.credentials.clone(),
            defaults: transport::Defaults::new(),
            live,
            view,
            pools: RefCell::default(),
        }
    }

    fn transport(&self, backend: &model::Backend) -> Rc<Transport> {
        Transport::new(backend, &self.credentials.load(), &self.defaults)
    }

    /// The newest table.
    pub(crate) fn view(&self) -> Rc<View> {
        self.refresh();
        Rc::clone(&self.view.borrow())
    }

    /// Follows a publication: idle connections of endpoints that are gone or terminate are closed at once. That is
    /// safe from our side, because only we send requests on them.
    pub(crate) fn refresh(&self) {
        let mut live = self.live.borrow_mut();
        let table = live.load();
        // Each request comes here: the table's count, which all workers share, is left alone until there is a new one.
        if Arc::ptr_eq(table, &self.view.borrow().table) {
            return;
        }
        let table = Arc::clone(table);
        self.pools.borrow_mut().retain(|key, pool| match table.backend(key) {
            Some(backend) => {
                pool.update(backend, || self.transport(backend));
                true
            }
            None => {
                pool.retire();
                self.cells.forget(&pool.cells);
                false
            }
        });
        self.view.replace(View::new(table));
    }

    /// The pool of the backend at this place of `view`.
    pub(crate) fn pool(&self, view: &View, backend: u32) -> Rc<BackendPool> {
        let place = &view.pools[backend as usize];
        if let Some(pool) = &*place.borrow() {
            return Rc::clone(pool);
        }
        let backend = &view.table.backends()[backend as usize];
        let pool = self.pool_of(backend);
        *place.borrow_mut() = Some(Rc::clone(&pool));
        pool
    }

    /// The pool of the backend of this name, if `view` has it.
    pub(crate) fn pool_named(&self, view: &View, key: &BackendKey) -> Option<Rc<BackendPool>> {
        view.table.backend(key).map(|backend| self.pool_of(backend))
    }

    /// The pool of this backend of the live table, or of one that was before.
    pub(crate) fn pool_of(&self, backend: &Arc<model::Backend>) -> Rc<BackendPool> {
        let mut pools = self.pools.borrow_mut();
        if let Some(pool) = pools.get(&backend.key) {
            return Rc::clone(pool);
        }
        let pool =
            Rc::new(BackendPool::new(backend, self.transport(backend), self.cells.backend(&backend.key)));
        pools.insert(backend.key.clone(), Rc::clone(&pool));
        pool
    }

    /// Gives up all idle connections, for the sake of their files.
    pub(crate) fn close_idle(&self) {
        self.pools.borrow().values().for_each(|pool| pool.close_idle());
    }

    /// Drops idle connections that are too old, or that their upstream has closed.
    pub(crate) fn tick(&self, now: u32) {
        if now.is_multiple_of(SWEEP_TICKS) {
            let (age_max, stuck_max) = (ticks(self.limits.idle_timeout), ticks(self.limits.connect_timeout));
            self.pools.borrow().values().for_each(|pool| pool.sweep(now, age_max, stuck_max));
        }
    }
}
