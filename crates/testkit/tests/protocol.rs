//! The protocol's promises over every store of the workspace. A store that is not named here is not known to keep them.

use riverrun_engine::Memory;
use riverrun_testkit::protocol_contract;

protocol_contract!(memory, Memory::new);
