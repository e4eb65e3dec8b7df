//! The entries of a refinement: what they ask, and what the ledger says to it.

use std::collections::HashSet;

use adcp_core::{AdcpError, ProposalRecord, ProposalRefusal, ProposalState, Timestamp};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use super::{Finalizing, ProposalTerms, text};

/// One entry of `refine[]`, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    at: usize,
    fields: &'a JsonObject,
}

/// The entries of a request. What is no object is left to the schema.
pub(crate) fn entries(request: &Value) -> impl Iterator<Item = Entry<'_>> {
    let list = request.get("refine").and_then(Value::as_array).into_iter().flatten();
    list.enumerate().filter_map(|(at, entry)| Some(Entry { at, fields: entry.as_object()? }))
}

impl<'a> Entry<'a> {
    fn scope(self) -> &'a str {
        text(self.fields, "scope").unwrap_or_default()
    }

    fn action(self) -> &'a str {
        text(self.fields, "action").unwrap_or("include")
    }

    /// The proposal that the entry is about.
    pub(crate) fn proposal(self) -> Option<&'a str> {
        text(self.fields, "proposal_id").filter(|_| self.scope() == "proposal")
    }

    fn product(self) -> Option<&'a str> {
        text(self.fields, "product_id").filter(|_| self.scope() == "product")
    }

    pub(crate) fn finalizes(self) -> bool {
        self.scope() == "proposal" && self.action() == "finalize"
    }

    /// The name of one of its fields, as errors write it.
    pub(crate) fn field(self, name: &str) -> String {
        format!("refine[{}].{name}", self.at)
    }

    /// Whether what the ledger keeps allows what the entry asks.
    ///
    /// A draft can be refined and made firm. What is firm stays as it is: leaving it out of an answer is all that can
    /// be asked. Where proposals become firm by being offered, they can be refined: the answer is another proposal.
    pub(crate) fn allowed(
        self,
        record: &ProposalRecord,
        terms: &ProposalTerms,
        now: Timestamp,
    ) -> Result<(), AdcpError> {
        let field = || self.field("proposal_id");
        let stated = text(&record.payload, "expires_at").and_then(|text| Timestamp::parse(text).ok());
        let open = matches!(record.state, ProposalState::Draft | ProposalState::Committed);
        if open && record.expires_at.or(stated).is_some_and(|at| now > at.after(terms.grace())) {
            return Err(ProposalRefusal::Expired.error(field()));
        }
        let refusal = match record.state {
            ProposalState::Draft => return Ok(()),
            ProposalState::Committed => ProposalRefusal::Committed,
            ProposalState::Consuming => ProposalRefusal::Consuming,
            ProposalState::Consumed => ProposalRefusal::Consumed,
        };
        match self.action() {
            "finalize" => Err(refusal.error(field())),
            "omit" => Ok(()),
            _ if refusal == ProposalRefusal::Committed && terms.commit_for().is_some() => Ok(()),
            _ => {
                Err(AdcpError::invalid_state(field(), format!("{refusal}, and what is firm does not change"))
                    .with_suggestion("buy it as it is, or ask for a new proposal in brief mode"))
            }
        }
    }

    /// What the answer says about this entry.
    fn applied(self, status: &str) -> Value {
        let mut out = json!({ "scope": self.scope(), "status": status });
        for name in ["product_id", "proposal_id"] {
            if let Some(id) = self.fields.get(name) {
                out[name] = id.clone();
            }
        }
        out
    }
}

/// Refuses entries that contradict each other: making firm stands alone, and nothing is named twice.
pub(crate) fn check(request: &Value) -> Result<(), AdcpError> {
    if entries(request).any(Entry::finalizes)
        && let Some(other) = entries(request).find(|entry| !entry.finalizes())
    {
        return Err(AdcpError::invalid_request(
            format!("refine[{}]", other.at),
            "finalize cannot be mixed with other refinements",
        )
        .with_suggestion("finalize in one request, and refine in another"));
    }
    // One look at each entry: a request may hold tens of thousands.
    let mut named = HashSet::new();
    for entry in entries(request) {
        let (name, id) = match (entry.product(), entry.proposal()) {
            (Some(id), _) => ("product_id", id),
            (None, Some(id)) => ("proposal_id", id),
            (None, None) => continue,
        };
        if !named.insert((name, id)) {
            return Err(AdcpError::invalid_request(entry.field(name), "an earlier entry names the same")
                .with_suggestion("say everything about one thing in one entry"));
        }
    }
    Ok(())
}

/// Refuses more finalizing than the seller does.
pub(crate) fn check_finalizing(request: &Value, terms: &ProposalTerms) -> Result<(), AdcpError> {
    let mut finalizes = entries(request).filter(|entry| entry.finalizes());
    match (terms.finalizing(), finalizes.next(), finalizes.next()) {
        (Finalizing::Never, Some(entry), _) => Err(AdcpError::unsupported_feature(entry.field("action"))),
        (Finalizing::One, _, Some(second)) => {
            Err(AdcpError::multi_finalize_unsupported(second.field("action")))
        }
        _ => Ok(()),
    }
}

/// One outcome per entry, all of them the same.
pub(crate) fn all(request: &Value, status: &str) -> Vec<Value> {
    entries(request).map(|entry| entry.applied(status)).collect()
}

/// Whether an answer's outcomes are those of the request's entries, one by one.
pub(crate) fn matches(request: &Value, outcomes: &[Value]) -> bool {
    let told = |(entry, outcome): (Entry<'_>, &Value)| {
        outcome.get("scope").and_then(Value::as_str) == Some(entry.scope())
            && ["product_id", "proposal_id"]
                .iter()
                .all(|name| outcome.get(*name).is_none() || outcome.get(*name) == entry.fields.get(*name))
            && (entry.proposal().is_none() || outcome.get("proposal_id").is_some())
            && (entry.product().is_none() || outcome.get("product_id").is_some())
    };
    entries(request).count() == outcomes.len() && entries(request).zip(outcomes).all(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as fit into one message. Looking at all others for each would take minutes.
    #[test]
    fn a_refinement_of_very_many_entries_is_looked_through_once() {
        let entry = |i: usize| json!({ "scope": "product", "product_id": format!("p{i}") });
        let mut list: Vec<Value> = (0..40_000).map(entry).collect();
        assert_eq!(check(&json!({ "refine": list })), Ok(()));
        list.push(entry(0));
        let refused = check(&json!({ "refine": list })).unwrap_err();
        assert_eq!(refused.field(), Some("refine[40000].product_id"));
        // The same text names a product and a proposal: two things.
        let proposal = json!({ "scope": "proposal", "proposal_id": "p0" });
        assert_eq!(check(&json!({ "refine": [entry(0), proposal] })), Ok(()));
    }
}
