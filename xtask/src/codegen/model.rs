//! The types the generator has made of the schemas, before they are text.

use serde_json::Value;

use super::bundle::Loc;

/// A Rust type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    /// `String`.
    Text,
    /// `f64`.
    Number,
    /// `i64`.
    Integer,
    /// `bool`.
    Bool,
    /// `serde_json::Value`.
    Any,
    /// `JsonObject`.
    Object,
    /// `Vec<T>`.
    List(Box<Self>),
    /// `BTreeMap<String, T>`.
    Map(Box<Self>),
    /// `Loose<T>`.
    Loose(Box<Self>),
    /// Null or `T`.
    Nullable(Box<Self>),
    /// A generated type, by its index.
    Named(usize),
}

/// A generated type.
#[derive(Debug)]
pub struct TypeDef {
    /// What it is known by: where it is declared, or, for an arm merged with fields around it, where the merging happens.
    pub loc: Loc,
    /// Where its keywords stand.
    pub at: Loc,
    /// Its Rust name, settled last.
    pub name: String,
    /// The name's parts, outermost first, from which the shortest unique suffix is taken.
    pub segs: Vec<String>,
    /// Names a whole file.
    pub root: bool,
    /// An arm of the union which names a whole file.
    pub root_arm: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a generated type is.
#[derive(Debug)]
pub enum Kind {
    /// Being made.
    Pending,
    /// An object.
    Struct(StructDef),
    /// An open vocabulary.
    Enum(EnumDef),
    /// A choice.
    Union(UnionDef),
    /// Another name for a type without a name.
    Alias(Ty),
    /// The same type as another one.
    Same(usize),
}

/// An object.
#[derive(Debug)]
pub struct StructDef {
    /// Stored fields by wire name.
    pub fields: Vec<Field>,
    /// Required stored fields in the order of `new`'s arguments.
    pub order: Vec<String>,
    /// Required fields with one legal value.
    pub consts: Vec<(String, Value)>,
    /// A validator refuses unknown fields.
    pub closed: bool,
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// The wire name.
    pub wire: String,
    /// The Rust name.
    pub ident: String,
    /// Without the `Option` of optional fields.
    pub ty: Ty,
    /// Required by the schema.
    pub required: bool,
    /// Held in a box.
    pub boxed: bool,
    /// Where it is declared.
    pub loc: Loc,
}

/// An open vocabulary.
#[derive(Debug)]
pub struct EnumDef {
    /// Variant and wire value.
    pub values: Vec<(String, String)>,
    /// Name of the arm for all other strings.
    pub other: String,
}

/// A choice.
#[derive(Debug)]
pub struct UnionDef {
    /// In the order of the schema.
    pub arms: Vec<Arm>,
    /// How the arm is chosen.
    pub choice: Choice,
}

/// An arm of a choice.
#[derive(Debug)]
pub struct Arm {
    /// The variant's name.
    pub variant: String,
    /// What it holds.
    pub ty: Ty,
    /// Held in a box.
    pub boxed: bool,
    /// Where it is declared.
    pub loc: Loc,
    /// Conditions for [`Choice::Tests`].
    pub tests: Vec<Test>,
    /// Legal values of the tag for the other choices.
    pub tags: Vec<Value>,
    /// Position in the order of testing.
    pub order: usize,
}

/// How an arm is chosen.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// By a string field.
    Tag(String),
    /// By a boolean field.
    Flag(String),
    /// By conditions, most specific arm first.
    Tests,
}

/// A condition; mirrors the runtime's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// JSON type of the value.
    Is(&'static str),
    /// Key is there.
    Has(String),
    /// Key is there with this JSON type.
    HasKind(String, &'static str),
    /// Key is absent.
    Not(String),
    /// Key holds one of these strings.
    Text(String, Vec<String>),
    /// Key holds this boolean.
    Flag(String, bool),
    /// Key holds this integer.
    Whole(String, i64),
    /// First item has this JSON type.
    Items(&'static str),
}
