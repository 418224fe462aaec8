//! Every configuration key, once: kind, bounds, default, meaning.
