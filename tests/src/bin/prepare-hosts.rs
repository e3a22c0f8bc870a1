//! Makes the root file systems that hosts are booted from, and fetches the distribution's packages
//! that tests install, for both releases at once, where the cache has none.

use std::thread;

use steadfast_tests::host::Suite;
use steadfast_tests::packages::distribution;

fn main() {
    thread::scope(|scope| {
        for suite in Suite::ALL {
            scope.spawn(move || distribution(suite));
        }
    });
}
