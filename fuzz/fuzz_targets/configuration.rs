#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use properties::{configuration, numbers};

fuzz_target!(|input: &[u8]| configuration::holds(input));
fuzz_mutator!(|input: &mut [u8], size: usize, size_max: usize, seed: u32| {
    numbers::replace(input, size, size_max, seed)
        .unwrap_or_else(|| fuzzer_mutate(input, size, size_max))
});
