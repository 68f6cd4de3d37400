//! Which file systems a store may be on.
//!
//! Processes that share a store do it through shared memory and locks. Over a
//! network neither works, and the database is damaged without a word, so such
//! file systems are refused by their kind.

use std::fmt;
use std::io;
use std::path::Path;

/// A file system, as the machine names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filesystem {
    /// The number that Linux has for it.
    Magic(u64),
    /// The name that other systems have for it.
    Named(String),
}

/// Why a store can't be on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit {
    /// What it is called.
    pub name: &'static str,
}

/// Numbers of `statfs` for file systems that are, or may be, elsewhere.
const MAGIC: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x0102_1997, "9p"),
    // Everything of FUSE, virtiofs included: they can't be told apart.
    (0x6573_5546, "FUSE or virtiofs"),
    (0x6573_5543, "FUSE"),
    (0x786f_4256, "a shared folder of VirtualBox"),
    (0xbacb_acbc, "a shared folder of VMware"),
    (0x7c7c_6673, "a shared folder of Parallels"),
    (0x5346_4846, "drvfs"), // and all of WSL 1
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x1980_0202, "BeeGFS"),
    (0xaad7_aaea, "PanFS"),
    (0x2030_5350, "OrangeFS"),
];

/// Names of file systems that are elsewhere.
const NAMED: &[(&str, &str)] = &[
    ("nfs", "NFS"),
    ("smbfs", "SMB"),
    ("afpfs", "AFP"),
    ("webdav", "WebDAV"),
    ("ftp", "FTP"),
    ("macfuse", "FUSE"),
    ("osxfuse", "FUSE"),
    ("fusefs", "FUSE"),
    ("virtiofs", "virtiofs"),
    ("AppleVirtIOFS", "virtiofs"),
    ("9p", "9p"),
    ("p9fs", "9p"),
    ("acfs", "Xsan"),
];

/// Returns why a store can't be on a file system, if it can't.
pub fn judge(filesystem: &Filesystem) -> Result<(), Unfit> {
    let found = match filesystem {
        Filesystem::Magic(magic) => MAGIC.iter().find(|(known, _)| known == magic).map(second),
        Filesystem::Named(name) => NAMED.iter().find(|(known, _)| known == name).map(second),
    };
    found.map_or(Ok(()), |name| Err(Unfit { name }))
}

/// Numbers of `statfs` for file systems of this machine.
const LOCAL: &[(u64, &str)] = &[
    (0xef53, "ext4"),
    (0x9123_683e, "btrfs"),
    (0x5846_5342, "XFS"),
    (0x0102_1994, "tmpfs"),
    (0x794c_7630, "overlayfs"),
    (0x2fc1_2fc1, "ZFS"),
    (0xf2f5_2010, "F2FS"),
    (0xca45_1a4e, "bcachefs"),
    (0x3153_464a, "JFS"),
    (0x4d44, "FAT"),
    (0x2011_bab0, "exFAT"),
    (0x7366_746e, "NTFS"),
    (0x8584_58f6, "ramfs"),
];

impl fmt::Display for Filesystem {
    /// Writes the name that people know it by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Magic(magic) => {
                let mut known = LOCAL.iter().chain(MAGIC);
                match known.find(|(known, _)| known == magic) {
                    Some((_, name)) => f.write_str(name),
                    None => write!(f, "a file system with the number {magic:#x}"),
                }
            }
        }
    }
}

fn second<T>((_, name): &(T, &'static str)) -> &'static str {
    name
}

/// Returns the file system that a path is on.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn of(path: &Path) -> io::Result<Filesystem> {
    let found = rustix::fs::statfs(path)?;
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "all of them have 32 bits, in a field of another size and sign on other machines"
    )]
    let magic = u64::from(found.f_type as u32);
    Ok(Filesystem::Magic(magic))
}

/// Returns the file system that a path is on.
#[cfg(target_vendor = "apple")]
pub fn of(path: &Path) -> io::Result<Filesystem> {
    let found = rustix::fs::statfs(path)?;
    let name = found.f_fstypename.iter().take_while(|byte| **byte != 0);
    #[expect(clippy::cast_sign_loss, reason = "they are characters of ASCII")]
    let name = name.map(|byte| char::from(*byte as u8)).collect();
    Ok(Filesystem::Named(name))
}

/// Returns the file system that a path is on.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn of(_: &Path) -> io::Result<Filesystem> {
    Ok(Filesystem::Named(String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_over_a_network_are_refused_by_kind() {
        for (magic, name) in [
            (0x6969, "NFS"),
            (0x517b, "SMB"),
            (0xfe53_4d42, "SMB"),
            (0xff53_4d42, "CIFS"),
            (0x0102_1997, "9p"),
            (0x6573_5546, "FUSE or virtiofs"),
            (0x5346_4846, "drvfs"), // and all of WSL 1
        ] {
            assert_eq!(judge(&Filesystem::Magic(magic)), Err(Unfit { name }));
        }
        for (kind, name) in [("smbfs", "SMB"), ("nfs", "NFS"), ("macfuse", "FUSE")] {
            assert_eq!(
                judge(&Filesystem::Named(kind.to_owned())),
                Err(Unfit { name })
            );
        }
    }

    #[test]
    fn local_file_systems_are_fine() {
        // ext4, btrfs, xfs, tmpfs, overlayfs, ZFS.
        for magic in [
            0xef53,
            0x9123_683e,
            0x5846_5342,
            0x0102_1994,
            0x794c_7630,
            0x2fc1_2fc1,
        ] {
            assert_eq!(judge(&Filesystem::Magic(magic)), Ok(()));
        }
        assert_eq!(judge(&Filesystem::Named("apfs".to_owned())), Ok(()));
    }

    #[test]
    fn the_folder_of_the_tests_has_a_file_system() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(judge(&of(folder.path()).unwrap()), Ok(()));
    }
}
