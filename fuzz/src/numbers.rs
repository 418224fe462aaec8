//! A mutation that libFuzzer does not have: a number of the text becomes another, whole.
//!
//! Its own mutations change a number digit by digit, and insert words of the dictionary beside it: the largest
//! number in the place of a small one takes them hours, and is where arithmetic breaks.

/// Where arithmetic turns: nothing, the widths of integers, the exact integers of JSON.
const EDGES: [u64; 11] = [
    0,
    1,
    u16::MAX as u64,
    1 << 16,
    u32::MAX as u64,
    1 << 32,
    1 << 53,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];
/// One mutation in so many is ours.
const ONE_IN: u32 = 8;

/// Replaces a number among the first `size` bytes by an edge, or by a neighbour of itself; the new size.
///
/// `None` leaves the input to libFuzzer: mostly, where there is no number, and where there is no room.
pub fn replace(input: &mut [u8], size: usize, size_max: usize, seed: u32) -> Option<usize> {
    if !seed.is_multiple_of(ONE_IN) {
        return None;
    }
    let chosen = (seed / ONE_IN) as usize;
    let text = input.get(..size)?;
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        text.get(*at).is_some_and(u8::is_ascii_digit) && !before.is_some_and(u8::is_ascii_digit)
    };
    let numbers: Vec<_> = (0..size).filter(begins).collect();
    let first = *numbers.get(chosen.checked_rem(numbers.len())?)?;
    let (head, rest) = text.split_at_checked(first)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, tail) = rest.split_at_checked(digits)?;
    let number = std::str::from_utf8(number).ok()?.parse().unwrap_or(0_u64);
    let others = [number.wrapping_add(1), number.wrapping_sub(1)];
    let others: Vec<_> = EDGES.into_iter().chain(others).collect();
    let other = others.get(chosen / numbers.len() % others.len())?.to_string();
    let replaced = [head, other.as_bytes(), tail].concat();
    let room = input.get_mut(..size_max)?.get_mut(..replaced.len())?;
    room.copy_from_slice(&replaced);
    Some(replaced.len())
}
