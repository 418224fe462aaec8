//! A part so many times in a row, for valgrind to count: `instructions <part> <times>`; without arguments, the names.

use parts::ALL;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(times)) = (arguments.next(), arguments.next()) else {
        ALL.iter().for_each(|part| println!("{part}"));
        return;
    };
    let part = ALL.iter().find(|part| part.name == name).expect("one of the parts");
    let times: u32 = times.parse().expect("a number of times");
    let mut once = (part.prepare)();
    (0..times).for_each(|_| once());
}
