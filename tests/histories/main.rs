//! Goal: whatever happens in whatever order, in however many data centres, a viewer gets what was made and
//! nothing else, in time, and nobody pays twice for what one could have made.
//! Method: the whole core in a small world on virtual time, where every operation takes its time and may go
//! wrong, KV is eventual, isolates die and viewers leave; histories drawn from a seed, and some told in full.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod body;
mod clockwork;
mod crowds;
mod dice;
mod edge;
mod gate;
mod history;
mod host;
mod judge;
mod kv;
mod mutants;
mod office;
mod pledge;
mod purge_stories;
mod purges;
mod random;
mod saboteur;
mod scripted;
mod stage;
mod tee;
mod upstream;
mod visit;
mod weather;
mod world;
