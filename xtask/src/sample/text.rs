//! Texts that match a pattern, made by walking the pattern.

/// A source of choices: the same seed makes the same choices.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D)
    }

    /// A seed made of a text and a number.
    pub(super) fn of(text: &str, number: u64) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(hash ^ number.wrapping_mul(0x9E37_79B9))
    }

    /// A number below `sides`; 0 when there are none.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let sides = u64::try_from(sides.max(1)).unwrap_or(1);
        usize::try_from((mixed ^ (mixed >> 31)) % sides).unwrap_or(0)
    }
}

/// A text for the pattern. Look-around is not honoured: check the result.
pub(super) fn matching(pattern: &str, dice: &mut Dice) -> String {
    let letters: Vec<char> = pattern.chars().collect();
    let mut text = String::new();
    let mut reader = Reader { letters: &letters, next: 0 };
    let tree = reader.alternatives();
    tree.write(dice, &mut text);
    text
}

enum Node {
    Letters(Vec<char>),
    Choice(Vec<Vec<Self>>),
    Repeat(Box<Self>, usize, usize),
}

impl Node {
    fn write(&self, dice: &mut Dice, text: &mut String) {
        match self {
            Self::Letters(set) => text.extend(set.get(dice.below(set.len()))),
            Self::Choice(arms) => {
                if let Some(arm) = arms.get(dice.below(arms.len())) {
                    arm.iter().for_each(|node| node.write(dice, text));
                }
            }
            Self::Repeat(node, least, most) => {
                let most = (*most).min(least + 3 + dice.below(16));
                let times = least + dice.below(most + 1 - least);
                (0..times).for_each(|_| node.write(dice, text));
            }
        }
    }
}

struct Reader<'a> {
    letters: &'a [char],
    next: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.next).copied()
    }

    fn take(&mut self) -> Option<char> {
        let letter = self.peek();
        self.next += 1;
        letter
    }

    fn eat(&mut self, text: &str) -> bool {
        let found =
            text.chars().enumerate().all(|(at, want)| self.letters.get(self.next + at) == Some(&want));
        if found {
            self.next += text.chars().count();
        }
        found
    }

    /// Arms up to the end or the closing bracket.
    fn alternatives(&mut self) -> Node {
        let mut arms = vec![Vec::new()];
        while let Some(letter) = self.peek() {
            match letter {
                ')' => break,
                '|' => {
                    self.next += 1;
                    arms.push(Vec::new());
                }
                '^' | '$' => self.next += 1,
                _ => {
                    let node = self.repeated();
                    if let Some(arm) = arms.last_mut() {
                        arm.extend(node);
                    }
                }
            }
        }
        Node::Choice(arms)
    }

    fn repeated(&mut self) -> Option<Node> {
        let node = self.single();
        let (least, most) = match self.peek() {
            Some('*') => (0, 8),
            Some('+') => (1, 8),
            Some('?') => (0, 1),
            Some('{') => return Some(self.counted(node?)),
            _ => return node,
        };
        self.next += 1;
        Some(Node::Repeat(Box::new(node?), least, most))
    }

    fn counted(&mut self, node: Node) -> Node {
        self.next += 1;
        let mut text = String::new();
        while let Some(letter) = self.take().filter(|letter| *letter != '}') {
            text.push(letter);
        }
        let (least, most) = text.split_once(',').unwrap_or((&text, &text));
        let least = least.parse().unwrap_or(0);
        Node::Repeat(Box::new(node), least, most.parse().unwrap_or(least + 8))
    }

    fn single(&mut self) -> Option<Node> {
        match self.take()? {
            '(' => {
                let ahead = self.eat("?!") || self.eat("?=");
                if !ahead {
                    self.eat("?:");
                }
                let inner = self.alternatives();
                self.next += 1;
                (!ahead).then_some(inner)
            }
            '[' => Some(Node::Letters(self.class())),
            '.' => Some(Node::Letters("abcxyz0189".chars().collect())),
            '\\' => Some(Node::Letters(self.escape())),
            letter => Some(Node::Letters(vec![letter])),
        }
    }

    fn escape(&mut self) -> Vec<char> {
        match self.take().unwrap_or('\\') {
            'd' => ('0'..='9').collect(),
            'w' => ('a'..='z').chain('0'..='9').collect(),
            's' => vec![' '],
            'S' => ('a'..='z').collect(),
            'x' => self.code(2),
            'u' => self.code(4),
            other => vec![other],
        }
    }

    fn code(&mut self, digits: usize) -> Vec<char> {
        let text: String = (0..digits).filter_map(|_| self.take()).collect();
        u32::from_str_radix(&text, 16).ok().and_then(char::from_u32).into_iter().collect()
    }

    fn class(&mut self) -> Vec<char> {
        let negated = self.eat("^");
        let mut set: Vec<char> = Vec::new();
        while let Some(letter) = self.take().filter(|letter| *letter != ']') {
            let mut letters = if letter == '\\' { self.escape() } else { vec![letter] };
            let range = letters.len() == 1
                && self.peek() == Some('-')
                && self.letters.get(self.next + 1).is_some_and(|end| *end != ']');
            if range {
                self.next += 1;
                let end = match self.take() {
                    Some('\\') => self.escape(),
                    end => end.into_iter().collect(),
                };
                if let (Some(from), Some(to)) = (letters.first(), end.first()) {
                    letters = (*from..=*to).collect();
                }
            }
            set.extend(letters);
        }
        if negated { ('!'..='~').filter(|letter| !set.contains(letter)).collect() } else { set }
    }
}

#[cfg(test)]
mod tests {
    use adcp_schemas::Bundle;
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_match_their_patterns() {
        let patterns = [
            "^[A-Z]{3}$",
            r"^\d+\.\d+(-[a-zA-Z0-9.-]+)?$",
            "^https://",
            r"^(\d{2}:[0-5]\d:[0-5]\d(\.\d{3})?|(100|\d{1,2})%)$",
            r"^[\x20-\x7E]+$",
            r"^(?:/(?:[^~/\u0000-\u001F\u007F]|~0|~1)*)*$",
            "^[A-Za-z0-9_.:-]{32,255}$",
        ];
        for pattern in patterns {
            let schema = json!({ "type": "string", "pattern": pattern }).to_string();
            let validator = Bundle::from_files([("s.json".to_owned(), schema)]).validator("s.json").unwrap();
            for seed in 0..20 {
                let text = matching(pattern, &mut Dice::new(seed));
                assert!(validator.is_valid(&json!(text)), "{pattern}: {text}");
            }
        }
    }
}
