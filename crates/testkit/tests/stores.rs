//! Every store of the workspace under the contract suite. A store that is not named here is not known to keep it.

mod own_file;

use own_file::OwnFile;
use riverrun_engine::Memory;
use riverrun_testkit::store_contract;

store_contract!(memory, Memory::new);
store_contract!(sqlite, OwnFile::new);
