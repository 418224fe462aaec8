//! Every part timed by divan, and its allocations counted.

use divan::{AllocProfiler, Bencher};
use parts::{ALL, Part};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = ALL)]
fn part(bencher: Bencher<'_, '_>, part: &Part) {
    let once = (part.prepare)();
    bencher.bench_local(once);
}
