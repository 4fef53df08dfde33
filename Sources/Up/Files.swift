// Small files, written whole and synced before anyone relies on them.

import Glibc
import Hosting
import Time
import Wire

enum Files {
  /// More than this is never read at once.
  static let longestBytes = 1 << 20

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }

  /// The first bytes of a file; none if there is no such file or it cannot be read.
  static func read(_ path: String, longest: Int = longestBytes) -> [UInt8]? {
    bytes(path, longest: longest, fromEnd: false)
  }

  static func text(_ path: String) -> String? {
    read(path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The last lines of a file, for an error that shows why a program ended.
  static func tail(_ path: String, lines: Int = 8) -> [String] {
    let text = String(decoding: bytes(path, longest: 8_192, fromEnd: true) ?? [], as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(lines).map(String.init)
  }

  /// The same, each thing said once: a program that was tried three times fails with the same words.
  static func tailWithoutRepetition(_ path: String) -> [String] {
    var said: Set<Substring> = []
    let newestFirst = tail(path).reversed().filter { line in
      // But for the moment at its beginning.
      said.insert(line.first?.isNumber == true ? line.drop { $0 != " " } : line[...]).inserted
    }
    return newestFirst.reversed()
  }

  private static func bytes(_ path: String, longest: Int, fromEnd: Bool) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    if fromEnd {
      let size = lseek(file, 0, SEEK_END)
      lseek(file, max(0, size - off_t(longest)), SEEK_SET)
    }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while all.count < longest {
      let count = Glibc.read(file, &buffer, min(buffer.count, longest - all.count))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      all.append(contentsOf: buffer[0..<count])
    }
    return all
  }

  /// Makes a folder and those above it. One that is there stays as it is.
  static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(UpFailure) {
    if isFolder(path) { return }
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try makeFolder(String(path[..<slash]), mode: 0o755)
    }
    guard mkdir(path, mode) == 0 else {
      if errno == EEXIST && isFolder(path) { return }
      throw failure("make the folder", path)
    }
    // Whatever the umask is: it must not shut out who is to pass through.
    chmod(path, mode)
  }

  /// Puts a file in place of the one before, which stays whole until then.
  static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws(UpFailure) {
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure("write", temporary) }
    let written = write(file, bytes, bytes.count)
    let isDurable = written == bytes.count && fsync(file) == 0
    let reason = errno
    close(file)
    guard isDurable, rename(temporary, path) == 0 else {
      let reason = isDurable ? errno : reason
      unlink(temporary)
      throw failure("write", path, reason)
    }
    syncFolder(of: path)
  }

  /// Makes a rename or a new name in a folder durable.
  static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  static func names(in folder: String) -> [String] {
    guard let entries = opendir(folder) else { return [] }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  static func failure(_ attempt: String, _ path: String, _ code: Int32 = errno) -> UpFailure {
    let help: String? =
      switch code {
      case EACCES, EPERM, EROFS:
        "run as a user that may write there, or choose another folder with --data DIR"
      case ENOTDIR, EEXIST: "something else is in its place: choose another folder with --data DIR"
      case ENOSPC, EDQUOT: "free some space, or choose another folder with --data DIR"
      default: nil
      }
    return UpFailure("cannot \(attempt) \(path): \(reason(code))", help: help)
  }
}

/// A secret of ours in a file: made once, on disk before anyone is told of it.
enum SecretFiles {
  static func read(_ path: String) throws(UpFailure) -> Secret? {
    let text: String?
    do { text = try SecretFile.read(path) } catch {
      throw UpFailure(error.message, help: error.help)
    }
    return text?.split(whereSeparator: \.isWhitespace).first.map { Secret(text: String($0)) }
  }

  static func readOrMake(_ path: String, _ use: Secret.Use) throws(UpFailure) -> Secret {
    if let known = try read(path) { return known }
    var random = clocks.random
    let secret = Secret(use, using: &random)
    try Files.replace(path, Array((secret.text + "\n").utf8))
    return secret
  }
}
