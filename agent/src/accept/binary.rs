//! Git's binary patches: both contents, compressed in name only, in base 85 (git's `base85.c` and
//! `diff.c` define the form; gitformat-pack(5) and RFC 1950, 1951 what is inside).

use std::fmt::Write as _;

const ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// Bytes in one line.
const LINE: usize = 52;

/// The name of a blob with this content.
pub(super) fn blob_id(content: &[u8]) -> String {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, content)
        .map_or_else(|_| "0".repeat(40), |id| id.to_string())
}

/// The patch from `before` to `after` and back.
pub(super) fn patch(before: &[u8], after: &[u8]) -> String {
    let mut text = String::from("GIT binary patch\n");
    for content in [after, before] {
        let _ = writeln!(text, "literal {}", content.len());
        for line in stored(content).chunks(LINE) {
            let length = u8::try_from(line.len()).unwrap_or_default();
            let letter = if length <= 26 { b'A' + length - 1 } else { b'a' + length - 27 };
            text.push(char::from(letter));
            line.chunks(4).for_each(|group| push_base85(group, &mut text));
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

fn push_base85(group: &[u8], text: &mut String) {
    let mut bytes = [0_u8; 4];
    for (place, byte) in bytes.iter_mut().zip(group) {
        *place = *byte;
    }
    let mut number = u32::from_be_bytes(bytes);
    let mut digits = [b'0'; 5];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 85).unwrap_or_default();
        *digit = ALPHABET.get(index).copied().unwrap_or(b'0');
        number /= 85;
    }
    text.extend(digits.map(char::from));
}

/// `content` as a zlib stream of stored blocks: correct, if not small.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        stream.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_have_the_names_that_git_gives_them() {
        assert_eq!(blob_id(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(blob_id(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn the_form_is_gits() {
        let text = patch(b"", &[0xff; 60]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0..2], ["GIT binary patch", "literal 60"]);
        assert!(lines[2].starts_with('z') && lines[2].len() == 66, "{text}");
        assert_eq!(lines[4..6], ["", "literal 0"]);
        assert!(text.ends_with("\n\n"));
    }
}
