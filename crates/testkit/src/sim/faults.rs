//! What may go wrong, and how often. Numbers only; what each of them does stands in `act`.

/// How often each fault is drawn, beside a weight of 100 for "a client mutates". 0 is never. A run draws from the seed
/// which of the faults that are not 0 it knows at all, so that some go deep into a few of them.
///
/// ```
/// use riverrun_testkit::sim::Faults;
/// let bad_network_only = Faults::network();
/// let no_restores = Faults { restore: 0, silent_restore: 0, ..Faults::all() };
/// assert_eq!(no_restores.cut, bad_network_only.cut);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The network changes: how much it loses, doubles, delays and reorders.
    pub weather: u32,
    /// A connection is cut, and both sides are told.
    pub cut: u32,
    /// A connection dies, and nobody is told.
    pub half_open: u32,
    /// A client stops reading for a while, and the scope goes on without it.
    pub slow_reader: u32,
    /// A client is offline for a while.
    pub offline: u32,
    /// Something between client and server answers in its place: 401, 429, 502, 503.
    pub proxy: u32,
    /// A client's process ends and comes back from what its storage holds.
    pub client_crash: u32,
    /// A client's storage fails for good.
    pub storage_failure: u32,
    /// A second client starts from a copy of another's storage, and so shares its client id.
    pub copied_client: u32,
    /// The server's process ends, before or after a commit, and comes back after a while.
    pub server_crash: u32,
    /// A commit fails, or succeeds and is answered with an error; reads fail.
    pub store_error: u32,
    /// The store has no room for a while.
    pub store_full: u32,
    /// An earlier copy of the store is put in place, with a new epoch.
    pub restore: u32,
    /// An earlier copy of the store is put in place, and nobody is told.
    pub silent_restore: u32,
    /// The log is trimmed.
    pub trim: u32,
    /// Time passes, and what is old is forgotten.
    pub ages: u32,
    /// The right to read or write is taken away, and given back later.
    pub access: u32,
    /// Clocks differ, and jump.
    pub clocks: u32,
}

impl Faults {
    /// Nothing goes wrong: what is found then is not about faults.
    pub fn none() -> Self {
        Self {
            weather: 0,
            cut: 0,
            half_open: 0,
            slow_reader: 0,
            offline: 0,
            proxy: 0,
            client_crash: 0,
            storage_failure: 0,
            copied_client: 0,
            server_crash: 0,
            store_error: 0,
            store_full: 0,
            restore: 0,
            silent_restore: 0,
            trim: 0,
            ages: 0,
            access: 0,
            clocks: 0,
        }
    }

    /// The network and the clients' machines fail, the server does not.
    pub fn network() -> Self {
        Self {
            weather: 12,
            cut: 10,
            half_open: 5,
            slow_reader: 3,
            offline: 6,
            proxy: 5,
            client_crash: 12,
            storage_failure: 1,
            ..Self::none()
        }
    }

    /// The server and its store fail, the network does not.
    pub fn server() -> Self {
        Self { server_crash: 10, store_error: 14, store_full: 3, trim: 8, access: 8, clocks: 4, ..Self::none() }
    }

    /// Everything.
    pub fn all() -> Self {
        let Self { server_crash, store_error, store_full, trim, access, clocks, .. } = Self::server();
        Self {
            copied_client: 2,
            server_crash,
            store_error,
            store_full,
            restore: 2,
            silent_restore: 2,
            trim,
            ages: 3,
            access,
            clocks,
            ..Self::network()
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::all()
    }
}
