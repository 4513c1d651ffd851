//! What an application's content security policy must let in beside its own: one script of this origin, and that script's
//! connection. A policy that allows them already is left as it is; it must never be widened by more than that, or what
//! development allows would be refused in production.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const NAMES: [HeaderName; 2] = [header::CONTENT_SECURITY_POLICY, header::CONTENT_SECURITY_POLICY_REPORT_ONLY];

/// Makes room in every policy, and gives back the nonce the script's tag needs, if any of them asks for one. `fresh` is
/// a nonce nobody can guess, for a policy that knows scripts in no other way.
pub(crate) fn make_room(headers: &mut HeaderMap, fresh: &str) -> Option<String> {
    let policies = |headers: &HeaderMap, name: &HeaderName| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    };
    let all: Vec<_> = NAMES.iter().flat_map(|name| policies(headers, name)).collect();
    // A tag has one nonce: the application's own, if it uses any.
    let own = all.iter().flat_map(|header| header.split(',')).find_map(|policy| nonce(&scripts(policy)?));
    let nonce = own.unwrap_or_else(|| fresh.to_owned());
    let mut is_used = false;
    for name in NAMES {
        let old = policies(headers, &name);
        headers.remove(&name);
        for header in old {
            let widened: Vec<_> = header.split(',').map(|policy| widen(policy, &nonce, &mut is_used)).collect();
            if let Ok(value) = HeaderValue::from_str(&widened.join(",")) {
                headers.append(name.clone(), value);
            }
        }
    }
    is_used.then_some(nonce)
}

/// The sources of scripts that a policy names, if it says anything about scripts.
fn scripts(policy: &str) -> Option<Vec<&str>> {
    sources(policy, &["script-src-elem", "script-src", "default-src"]).map(|(_, sources)| sources)
}

/// The first of `names` that the policy has, with its sources.
fn sources<'a>(policy: &'a str, names: &[&'static str]) -> Option<(&'static str, Vec<&'a str>)> {
    names.iter().find_map(|name| {
        let mut directives = policy.split(';').map(str::split_ascii_whitespace);
        directives.find_map(|mut words| {
            words.next().filter(|word| word.eq_ignore_ascii_case(name))?;
            Some((*name, words.collect()))
        })
    })
}

fn nonce(sources: &[&str]) -> Option<String> {
    sources.iter().find_map(|source| Some(source.strip_prefix("'nonce-")?.strip_suffix('\'')?.to_owned()))
}

fn widen(policy: &str, nonce: &str, is_used: &mut bool) -> String {
    let mut policy = policy.trim().to_owned();
    let has = |sources: &[&str], wanted: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(wanted));
    if let Some((name, sources)) = sources(&policy, &["script-src-elem", "script-src", "default-src"]) {
        let ours = format!("'nonce-{nonce}'");
        let is_open = (has(&sources, "'self'") || has(&sources, "*")) && !has(&sources, "'strict-dynamic'");
        if has(&sources, &ours) {
            *is_used = true;
        } else if !is_open {
            *is_used = true;
            policy = add(&policy, name, if name == "default-src" { "script-src" } else { name }, &sources, &ours);
        }
    }
    if let Some((name, sources)) = sources(&policy, &["connect-src", "default-src"])
        && !has(&sources, "'self'")
        && !has(&sources, "*")
    {
        policy = add(&policy, name, "connect-src", &sources, "'self'");
    }
    policy
}

/// The policy in which `to` allows what `from` did, and `source`. A default stays what it is for everything else.
fn add(policy: &str, from: &str, to: &str, old: &[&str], source: &str) -> String {
    let is_from = |directive: &&str| {
        directive.split_ascii_whitespace().next().is_some_and(|word| from == to && word.eq_ignore_ascii_case(from))
    };
    let kept = policy.split(';').map(str::trim).filter(|directive| !directive.is_empty() && !is_from(directive));
    let sources = old.iter().copied().filter(|source| !source.eq_ignore_ascii_case("'none'")).chain([source]);
    let mut directives: Vec<_> = kept.map(str::to_owned).collect();
    directives.push(format!("{to} {}", sources.collect::<Vec<_>>().join(" ")));
    directives.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(policy: &str) -> (String, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.parse().unwrap());
        let nonce = make_room(&mut headers, "fresh");
        (headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned(), nonce)
    }

    #[test]
    fn a_policy_of_this_origin_stays_as_it_is_and_its_nonce_is_used() {
        let policy = "default-src 'none'; script-src 'self' 'nonce-abc'; connect-src 'self'";
        assert_eq!(room(policy), (policy.to_owned(), Some("abc".to_owned())));
        assert_eq!(room("default-src 'self'"), ("default-src 'self'".to_owned(), None));
        assert_eq!(room("frame-ancestors 'none'"), ("frame-ancestors 'none'".to_owned(), None));
    }

    #[test]
    fn a_policy_without_room_gets_just_enough() {
        let (policy, nonce) = room("default-src 'none'; img-src *");
        let expected = "default-src 'none'; img-src *; script-src 'nonce-fresh'; connect-src 'self'";
        assert_eq!((policy.as_str(), nonce.as_deref()), (expected, Some("fresh")));
        let (policy, nonce) = room("script-src 'sha256-x='; object-src 'none'");
        assert_eq!(policy, "object-src 'none'; script-src 'sha256-x=' 'nonce-fresh'");
        assert_eq!(nonce.as_deref(), Some("fresh"));
    }

    #[test]
    fn where_only_trust_passed_on_counts_the_origin_is_not_enough() {
        let (policy, nonce) = room("script-src 'self' 'strict-dynamic' 'nonce-abc'");
        assert_eq!((policy.contains("'nonce-abc'"), nonce.as_deref()), (true, Some("abc")));
        let (policy, nonce) = room("script-src 'self' 'strict-dynamic'");
        assert_eq!((policy.contains("'nonce-fresh'"), nonce.as_deref()), (true, Some("fresh")));
    }

    #[test]
    fn of_several_policies_each_gets_room_for_the_same_tag() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONTENT_SECURITY_POLICY, "script-src 'none'".parse().unwrap());
        headers.append(header::CONTENT_SECURITY_POLICY, "script-src 'nonce-abc', default-src 'none'".parse().unwrap());
        assert_eq!(make_room(&mut headers, "fresh").as_deref(), Some("abc"));
        let all: Vec<_> = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(all[0], "script-src 'nonce-abc'");
        let second = "script-src 'nonce-abc',default-src 'none'; script-src 'nonce-abc'; connect-src 'self'";
        assert_eq!(all[1], second);
    }
}
