//! Makes the root file systems that hosts are booted from, both at once, where the cache has none.

use std::thread;

use steadfast_tests::host::Suite;

fn main() {
    thread::scope(|scope| {
        for suite in Suite::ALL {
            scope.spawn(move || suite.root());
        }
    });
}
