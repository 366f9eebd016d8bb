//! Asking strangers on the network: only by the schemes that are allowed, never at an address inside the house, never
//! for long, never for much, and never along a redirect.

use crate::kernel::id::{OrganizationId, PartnerId};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// The longest a request may take from the look-up of the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer, in bytes.
const MOST_BYTES: u64 = 256 * 1024;
/// Requests in flight for partners at most, so that strangers who do not answer cannot hold all threads; each partner has
/// one. As many again are kept for the organizations themselves.
const MOST_AT_ONCE: usize = 2;

/// What is not the public internet, as IANA's registries of special-purpose addresses list it.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// Why nothing was heard.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutboundError {
    /// The URL is none, carries a password, or has a scheme that is not allowed.
    #[error("the URL is not allowed")]
    UrlNotAllowed,
    /// Too many requests are in flight.
    #[error("too many requests are in flight")]
    Busy,
    /// Something else than `200` was answered; redirects are not followed.
    #[error("answered {0}")]
    Status(u16),
    /// The name, the address, the connection, the time or the size.
    #[error("{0}")]
    Failed(String),
}

/// Who may be asked.
#[derive(Debug, Clone, Default)]
pub struct OutboundRules {
    /// Whether `http` is allowed besides `https`.
    pub plain_http: bool,
    /// Networks inside the house that may be asked all the same.
    pub inside: Vec<IpNet>,
}

/// The way out.
#[derive(Clone)]
pub struct Outbound {
    agent: Agent,
    plain_http: bool,
    in_flight: InFlight,
}

/// For whom a request goes out: an organization, or one of its partners.
pub type Owner = (OrganizationId, Option<PartnerId>);
type InFlight = Arc<Mutex<Vec<Owner>>>;

impl fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbound").finish_non_exhaustive()
    }
}

impl Outbound {
    /// The way out by these rules.
    pub fn new(rules: OutboundRules) -> Self {
        let config = Agent::config_builder()
            .https_only(!rules.plain_http)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .user_agent("copartner")
            .accept("application/json")
            .build();
        let plain_http = rules.plain_http;
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), Guarded::new(rules)),
            plain_http,
            in_flight: Arc::default(),
        }
    }

    /// Whether this URL may be asked at all; what its name stands for is looked at when it is asked.
    pub fn allows(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else {
            return false;
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map(|authority| authority.as_str());
        (scheme == "https" || (scheme == "http" && self.plain_http))
            && authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
    }

    /// What is answered at this URL.
    pub async fn get(&self, url: String, owner: Owner) -> Result<Vec<u8>, OutboundError> {
        if !self.allows(&url) {
            return Err(OutboundError::UrlNotAllowed);
        }
        let turn = Turn::take(&self.in_flight, owner).ok_or(OutboundError::Busy)?;
        let agent = self.agent.clone();
        let answer = actix_web::web::block(move || {
            let _turn = turn;
            ask(&agent, &url)
        });
        answer
            .await
            .unwrap_or_else(|error| Err(OutboundError::Failed(error.to_string())))
    }
}

fn ask(agent: &Agent, url: &str) -> Result<Vec<u8>, OutboundError> {
    let failed = |error: ureq::Error| OutboundError::Failed(error.to_string());
    let mut response = agent.get(url).call().map_err(failed)?;
    if response.status() != 200 {
        return Err(OutboundError::Status(response.status().as_u16()));
    }
    let body = response.body_mut().with_config().limit(MOST_BYTES);
    body.read_to_vec().map_err(failed)
}

/// One of the few requests that may be in flight; dropping it makes room.
struct Turn(InFlight, Owner);

impl Turn {
    fn take(in_flight: &InFlight, owner: Owner) -> Option<Self> {
        let mut owners = in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let is_partners = |(_, partner): &&Owner| partner.is_some() == owner.1.is_some();
        let of_kind = owners.iter().filter(is_partners).count();
        if of_kind >= MOST_AT_ONCE || (owner.1.is_some() && owners.contains(&owner)) {
            return None;
        }
        owners.push(owner);
        Some(Self(Arc::clone(in_flight), owner))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = owners.iter().position(|owner| *owner == self.1) {
            owners.swap_remove(place);
        }
    }
}

/// Looks names up and leaves out the addresses that must not be asked. The connection is made to what is left, so that
/// a name which stands for something else a moment later leads nowhere.
struct Guarded {
    names: DefaultResolver,
    special: Vec<IpNet>,
    inside: Vec<IpNet>,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guarded").finish_non_exhaustive()
    }
}

impl Guarded {
    fn new(rules: OutboundRules) -> Self {
        Self {
            names: DefaultResolver::default(),
            special: SPECIAL.iter().filter_map(|text| text.parse().ok()).collect(),
            inside: rules.inside,
        }
    }

    fn lets_out(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        is_in(&self.inside) || !is_in(&self.special)
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let outside = |address: &&SocketAddr| self.lets_out(address.ip());
        found
            .iter()
            .filter(outside)
            .for_each(|address| allowed.push(*address));
        if allowed.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_network_is_written_right() {
        assert_eq!(
            Guarded::new(OutboundRules::default()).special.len(),
            SPECIAL.len()
        );
    }

    #[test]
    fn nothing_inside_is_asked_unless_it_is_named() {
        let closed = Guarded::new(OutboundRules::default());
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "fd00::1",
            "fe80::1",
            "2002:7f00:1::",
        ] {
            assert!(!closed.lets_out(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(closed.lets_out(outside.parse().unwrap()), "{outside}");
        }
        let open = Guarded::new(OutboundRules {
            plain_http: false,
            inside: vec!["10.0.0.0/8".parse().unwrap()],
        });
        assert!(open.lets_out("10.1.2.3".parse().unwrap()));
        assert!(!open.lets_out("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_url_has_an_allowed_scheme_and_no_password() {
        let outbound = Outbound::new(OutboundRules::default());
        assert!(outbound.allows("https://login.example/jwks.json"));
        for bad in [
            "http://login.example/jwks.json",
            "file:///etc/passwd",
            "ftp://login.example/",
            "https://",
            "https://name:secret@login.example/",
            "/jwks.json",
            "gopher://login.example",
            "",
        ] {
            assert!(!outbound.allows(bad), "{bad}");
        }
    }

    #[test]
    fn few_are_asked_at_once_and_partners_leave_room() {
        let (in_flight, now) = (InFlight::default(), chrono::DateTime::UNIX_EPOCH);
        let home = OrganizationId::new(now);
        let partners: Vec<Owner> = (0..3).map(|_| (home, Some(PartnerId::new(now)))).collect();
        let first = Turn::take(&in_flight, partners[0]);
        assert!(first.is_some());
        assert!(Turn::take(&in_flight, partners[0]).is_none(), "one for each");
        let second = Turn::take(&in_flight, partners[1]);
        assert!(second.is_some());
        assert!(Turn::take(&in_flight, partners[2]).is_none(), "two for all");
        let own: Vec<_> = (0..MOST_AT_ONCE)
            .map(|_| Turn::take(&in_flight, (home, None)))
            .collect();
        assert!(own.iter().all(Option::is_some));
        assert!(Turn::take(&in_flight, (home, None)).is_none());
        drop(first);
        assert!(Turn::take(&in_flight, partners[2]).is_some());
    }
}
