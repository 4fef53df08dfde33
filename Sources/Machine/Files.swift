// Files that must be whole, private and on disk before anyone relies on them. What a program keeps of itself
// is read, replaced and removed here and nowhere else; TidyTests sees to it.

import Glibc

package struct FileProblem: Error, Equatable, CustomStringConvertible {
  package let attempted: String
  package let path: String
  package let code: Int32

  package init(attempted: String, path: String, code: Int32 = errno) {
    self.attempted = attempted
    self.path = path
    self.code = code
  }

  package var reason: String { Files.reason(code) }
  package var description: String { "cannot \(attempted) \(path): \(reason)" }
}

package enum Files {
  /// Anything larger among our own files is not one that we wrote.
  package static let longestBytes = 16 << 20

  package static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// What a link says; nil when it is none.
  package static func target(of link: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: - Reading

  /// - Returns: the content, or nil when there is no such file.
  package static func read(_ path: String, longest: Int = longestBytes) throws(FileProblem)
    -> [UInt8]?
  {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileProblem(attempted: "read", path: path)
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileProblem(attempted: "read", path: path)
      }
      if count == 0 { return content }
      guard content.count + count <= longest else {
        throw FileProblem(attempted: "read", path: path, code: EFBIG)
      }
      content += buffer[..<count]
    }
  }

  /// The content; nil when there is no such file, and when it cannot be read.
  package static func content(of path: String) -> [UInt8]? { (try? read(path)) ?? nil }

  package static func text(_ path: String) -> String? {
    content(of: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The end of a file that may be long: at most `bytes` of it.
  package static func tail(_ path: String, bytes: Int) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var buffer = [UInt8](repeating: 0, count: bytes)
    let count = pread(descriptor, &buffer, bytes, off_t(max(0, size - bytes)))
    return count > 0 ? Array(buffer[..<count]) : []
  }

  // MARK: - Writing

  /// Replaces a file whole or not at all; readable by its owner only.
  ///
  /// - Parameter durably: it survives a loss of power once this returns.
  package static func write(
    _ content: [UInt8], to path: String, durably: Bool = true
  ) throws(FileProblem) {
    let file = try NewFile(path)
    try file.write(content)
    try file.replace(durably: durably)
  }

  /// Writes into a file that is there, so that it stays the file of its owner.
  package static func overwrite(_ path: String, with content: [UInt8]) throws(FileProblem) {
    let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw FileProblem(attempted: "write", path: path) }
    defer { close(descriptor) }
    try writeAll(content, to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw FileProblem(attempted: "write", path: path) }
  }

  /// - Parameter path: by which it is told what could not be written.
  package static func writeAll(
    _ content: [UInt8], to descriptor: Int32, _ path: String
  ) throws(FileProblem) {
    var written = 0
    while written < content.count {
      let count = content.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, content.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileProblem(attempted: "write", path: path)
      }
      written += count
    }
  }

  /// Gives a file or folder another name in the same file system.
  package static func move(
    _ path: String, to target: String, durably: Bool = true
  ) throws(FileProblem) {
    guard rename(path, target) == 0 else {
      throw FileProblem(attempted: "rename \(path) to", path: target)
    }
    if durably { try syncFolder(of: target) }
  }

  /// Makes a name in a folder durable. As PostgreSQL does, it goes on where a folder cannot be synced at
  /// all: in file systems that know no such thing, and in folders that may be entered and not read.
  package static func syncFolder(of path: String) throws(FileProblem) {
    let folder = folder(of: path)
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == EACCES { return }
      throw FileProblem(attempted: "open", path: folder)
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw FileProblem(attempted: "write", path: folder)
    }
  }
}
