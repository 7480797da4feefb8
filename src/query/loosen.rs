//! A query without what cannot be asked: it finds everything that the query finds, and more.

use super::node::{Is, Node};

/// The query in which every part that is no operator and that `may` not be asked is left out, where leaving it out finds
/// more; `None` where what is left would find everything.
pub fn loosen(node: &Node, may: &impl Fn(&Node) -> bool) -> Option<Node> {
    let of = |is| Some(Node::new(node.span.clone(), is));
    match &node.is {
        Is::And(all) => {
            let mut left: Vec<Node> = all.iter().filter_map(|n| loosen(n, may)).collect();
            match left.len() {
                0 => None,
                1 => left.pop(),
                _ => of(Is::And(left)),
            }
        }
        Is::Or(any) => {
            let left: Option<Vec<Node>> = any.iter().map(|n| loosen(n, may)).collect();
            of(Is::Or(left?))
        }
        // More of what must not be there would find less.
        Is::Not(_) | Is::Near { .. } | Is::Within { .. } | Is::In(..) => askable(node, may).then(|| node.clone()),
        _ => may(node).then(|| node.clone()),
    }
}

fn askable(node: &Node, may: &impl Fn(&Node) -> bool) -> bool {
    let parts = node.parts();
    match parts.is_empty() {
        true => may(node),
        false => parts.into_iter().all(|n| askable(n, may)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Fact, Field, explain, parse};

    fn loose(query: &str) -> String {
        let node = parse(query).node.expect("it parses");
        let may = |n: &Node| !matches!(&n.is, Is::Fact(Fact { field: Field::Reach | Field::Sentiment, .. }));
        loosen(&node, &may).map_or_else(|| "everything".to_owned(), |n| explain(&n))
    }

    fn same(query: &str, as_if: &str) {
        assert_eq!(loose(query), explain(&parse(as_if).node.expect("it parses")), "{query}");
    }

    #[test]
    fn what_cannot_be_asked_is_left_out_where_that_finds_more() {
        same("acme AND reach:>10", "acme");
        same("acme AND NOT reach:>10", "acme");
        same("acme AND NOT tool", "acme AND NOT tool");
        same("acme AND (fire OR burn) AND sentiment:negative", "acme AND (fire OR burn)");
        assert_eq!(loose("acme OR reach:>10"), "everything");
        assert_eq!(loose("reach:>10 AND sentiment:negative"), "everything");
    }
}
