//! The tables of a document in docs/.

use std::collections::BTreeMap;

/// A document, by its name in docs/.
pub struct Document(pub &'static str);

impl Document {
    /// The rows of a table, without its header.
    pub fn table(&self, name: &str) -> Vec<Vec<String>> {
        let path = format!("{}/../../docs/{}", env!("CARGO_MANIFEST_DIR"), self.0);
        let text = std::fs::read_to_string(path).unwrap();
        let (_, rest) = text.split_once(&format!("<!-- table: {name} -->")).unwrap();
        let rows: Vec<Vec<String>> = rest
            .lines()
            .skip_while(|l| !l.starts_with('|'))
            .take_while(|l| l.starts_with('|'))
            .skip(2)
            .map(|l| l.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect())
            .collect();
        assert!(!rows.is_empty(), "{name}");
        rows
    }

    /// Offset and size of each field, by name. The fields must follow each other without gaps.
    pub fn fields(&self, name: &str, total: usize) -> BTreeMap<String, (usize, usize)> {
        let mut at = 0;
        let mut out = BTreeMap::new();
        for row in self.table(name) {
            let (offset, size): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
            assert_eq!(offset, at, "{name}.{}", row[2]);
            at += size;
            out.insert(row[2].clone(), (offset, size));
        }
        assert_eq!(at, total, "{name}");
        out
    }
}

/// A field as a number.
pub fn number(bytes: &[u8], (offset, size): (usize, usize)) -> u64 {
    let mut wide = [0; 8];
    wide[..size].copy_from_slice(&bytes[offset..offset + size]);
    u64::from_le_bytes(wide)
}
