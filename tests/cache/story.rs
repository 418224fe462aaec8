//! The tour: how a rendition comes to be, where it is kept, who answers, and what is refused.

mod access;
mod bypass;
mod chunks;
mod conditions;
mod doors;
mod extension;
mod failures;
mod gate;
mod kept;
mod leases;
mod lifetimes;
mod limits;
mod multipart;
mod purges;
mod ranges;
mod redirects;
mod revalidation;
mod scrub;
mod secrets;
mod signatures;
mod sources;
mod stale;
mod sweep;
mod tiers;
mod turns;
mod turns_of_renewal;
mod viewers;

/// What most stories ask for.
const VIDEO: &str = "/clips/a.mp4?width=640&height=360";
/// Its key in KV.
const KEY: &str = "video:clips/a.mp4:w=640:h=360:f=mp4";
/// Its URL in the Cache API.
const EDGE_URL: &str = "https://v.example/clips/a.mp4?width=640&height=360&format=mp4";
