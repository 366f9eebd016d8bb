//! The part of an internet address that somebody registered.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Domains where anybody may have an address or a page.
static FREE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("free_mail.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// The registrable domain of a web address or host name, by the public suffix list: of
/// `https://www.shop.hafen.co.uk/de` it is `hafen.co.uk`. `None` where there is none: for a bare public suffix, for a
/// number, and for domains where anybody may have a page or a mailbox, which say nothing about a company.
pub fn registrable_domain(address: &str) -> Option<String> {
    let host = host_of(address)?;
    let domain = psl::domain(host.as_bytes())?;
    let name = std::str::from_utf8(domain.as_bytes()).ok()?;
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (!is_number && !FREE.contains(name)).then(|| name.to_owned())
}

/// The registrable domain of whoever gave somebody this e-mail address.
pub fn registrable_domain_of_mail(address: &str) -> Option<String> {
    registrable_domain(address.rsplit_once('@')?.1)
}

/// The host of an address, in lower case and in the form that the domain name system uses.
fn host_of(address: &str) -> Option<String> {
    let address = address.trim();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?.trim_matches('.');
    let host = idna::domain_to_ascii(host).ok()?;
    let labels_fit = host
        .split('.')
        .all(|label| !label.is_empty() && label.len() <= 63);
    (labels_fit && host.len() <= 253).then_some(host)
}
