//! The members of an object, as a table that says how each is named: they are read and written in one place for all.

use super::{Foreign, Inside, Json, Spelled, Writer};

/// What objects of one kind have.
#[derive(Debug)]
pub struct Shape {
    /// A member that has been read by who asks: the tag of an enum.
    pub label: Option<&'static str>,
    /// What becomes of a member that is not in the table.
    pub unknown: Unknown,
    /// The members, in the order in which they are written.
    pub members: &'static [(&'static str, Absence)],
}

/// What becomes of a member that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is of a later release, and means nothing here.
    PassedOver,
    /// It makes the whole [`Foreign`].
    Refused,
}

/// Whether a member may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Only where its type says so: see [`Json::may_be_left_out`].
    Refused,
    /// By others; it is always written.
    Read,
    /// It is, where it is [nothing](Json::is_nothing).
    Written,
}

impl Shape {
    /// Reads an object into fields that are [blank](Json::blank), one for each member.
    pub fn fill(&self, fields: &mut [&mut dyn Json], spelled: Spelled<'_>) -> Result<(), Foreign> {
        let (mut inside, mut next, mut found) = (Inside::object(spelled)?, 0, 0_u64);
        while let Some((name, value)) = inside.member()? {
            match self.place(name, next)? {
                Some(at) => {
                    let bit = 1 << at;
                    let field = fields.get_mut(at).filter(|_| found & bit == 0);
                    field.ok_or(Foreign)?.fill(value)?;
                    (found, next) = (found | bit, at + 1);
                }
                None if self.unknown == Unknown::PassedOver => {}
                None => {
                    if self.label != Some(&*name.text()?) {
                        return Err(Foreign);
                    }
                }
            }
        }
        let mut all = self.members.iter().zip(fields).enumerate();
        let is_whole = all.all(|(at, ((_, absence), field))| {
            found & 1 << at != 0 || *absence != Absence::Refused || field.may_be_left_out()
        });
        if is_whole { Ok(()) } else { Err(Foreign) }
    }

    /// Where a member is in the table; what this house writes is in its order, and without escapes.
    fn place(&self, name: Spelled<'_>, next: usize) -> Result<Option<usize>, Foreign> {
        let plain = name.quoted();
        match self.position(plain, next) {
            None if plain.contains('\\') => Ok(self.position(&name.text()?, next)),
            place => Ok(place),
        }
    }

    fn position(&self, name: &str, next: usize) -> Option<usize> {
        let (before, after) = self.members.split_at_checked(next)?;
        let found = after.iter().position(|(it, _)| *it == name).map(|at| next + at);
        found.or_else(|| before.iter().position(|(it, _)| *it == name))
    }

    /// Writes an object under its tag: `{"receipt": {"number": 7}}`.
    pub fn write_tagged(&self, tag: &str, fields: &[&dyn Json], writer: &mut Writer) {
        writer.open('{');
        writer.name(tag);
        writer.open('{');
        self.write(fields, writer);
        writer.close('}');
        writer.close('}');
    }

    /// Writes the members of an object that has been opened.
    pub fn write(&self, fields: &[&dyn Json], writer: &mut Writer) {
        for ((name, absence), field) in self.members.iter().zip(fields) {
            if *absence != Absence::Written || !field.is_nothing() {
                writer.plain_name(name);
                field.write(writer);
            }
        }
    }
}
