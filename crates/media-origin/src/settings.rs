//! What the environment says, checked once at start.

use std::net::IpAddr;
use std::path::PathBuf;

/// Everything the server can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Where samples, outputs and half-made files live. One server at a time.
    pub state_dir: PathBuf,
    /// Whether a line is written to stderr for each request.
    pub log: Log,
    /// Largest source the transformation takes.
    pub source_bytes_max: u64,
    /// Whether the transformation takes `https://` sources only, as the platform does.
    pub require_https: bool,
}

/// Where the request log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Nowhere.
    Off,
    /// One line a request, to stderr.
    Text,
}

impl Settings {
    /// Reads the settings through `lookup`, or says in one sentence what is wrong with one.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = |key: &str| lookup(key).filter(|value| !value.is_empty());
        Ok(Self {
            host: parsed("MEDIA_HOST", value("MEDIA_HOST"), HOST_DEFAULT, "an IP address")?,
            port: parsed("MEDIA_PORT", value("MEDIA_PORT"), PORT_DEFAULT, "a port, 0 to 65535")?,
            state_dir: value("MEDIA_STATE_DIR").unwrap_or_else(|| STATE_DIR_DEFAULT.into()).into(),
            log: match value("MEDIA_LOG").as_deref() {
                None | Some("off") => Log::Off,
                Some("text") => Log::Text,
                Some(other) => return Err(format!("MEDIA_LOG is {other:?}; say off or text")),
            },
            source_bytes_max: parsed(
                "MEDIA_SOURCE_BYTES_MAX",
                value("MEDIA_SOURCE_BYTES_MAX"),
                SOURCE_BYTES_MAX_DEFAULT,
                "a number of bytes",
            )?,
            require_https: match value("MEDIA_REQUIRE_HTTPS").as_deref() {
                None | Some("0") => false,
                Some("1") => true,
                Some(other) => {
                    return Err(format!("MEDIA_REQUIRE_HTTPS is {other:?}; say 0 or 1"));
                }
            },
        })
    }
}

fn parsed<T: std::str::FromStr>(
    key: &str,
    given: Option<String>,
    default: T,
    wanted: &str,
) -> Result<T, String> {
    given.map_or(Ok(default), |given| {
        given.parse().map_err(|_| format!("{key} is {given:?}; it must be {wanted}"))
    })
}

const HOST_DEFAULT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const PORT_DEFAULT: u16 = 8788;
const STATE_DIR_DEFAULT: &str = ".state/media";
/// The platform's limit: "less than 100 MB" (Media Transformations, source video requirements).
const SOURCE_BYTES_MAX_DEFAULT: u64 = 100_000_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_empty_environment_gives_the_documented_defaults() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!((settings.host.to_string().as_str(), settings.port), ("127.0.0.1", 8788));
        assert_eq!(settings.state_dir, PathBuf::from(".state/media"));
        assert_eq!(settings.source_bytes_max, 100_000_000);
        assert_eq!((settings.log, settings.require_https), (Log::Off, false));
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_key_and_what_it_must_be() {
        for (key, value) in [
            ("MEDIA_HOST", "localhost"),
            ("MEDIA_PORT", "65536"),
            ("MEDIA_LOG", "json"),
            ("MEDIA_SOURCE_BYTES_MAX", "100MB"),
            ("MEDIA_REQUIRE_HTTPS", "yes"),
        ] {
            let error =
                Settings::read(|asked| (asked == key).then(|| value.to_owned())).unwrap_err();
            assert!(error.contains(key) && error.contains(value), "{error}");
        }
    }
}
