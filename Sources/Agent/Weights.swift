// The digest of weights: of a file its SHA-256; of a folder the SHA-256 of the lines that `sha256sum`
// prints for all files in it. So anyone can compute it without us:
//
//   cd FOLDER && find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
//
// Links are followed, since model caches are full of them; what a folder may not hold is a name that
// such a line cannot carry, a link to nothing, a circle, and what is neither file nor folder.

import Crypto
import Glibc
import Hosting
import Machine
import Time

import struct Hosting.Digest

package struct WeightsProblem: Error, Equatable, CustomStringConvertible {
  package let description: String
}

/// What tells whether a file is the one that was read before.
package struct FileStamp: Codable, Hashable, Sendable {
  package let device: Int64
  package let inode: Int64
  package let bytes: Int64
  package let modifiedNanoseconds: Int64
  /// Set by the kernel at every change, of the content as of the times that others may set.
  package let changedNanoseconds: Int64

  init(_ status: stat) {
    device = Int64(bitPattern: UInt64(status.st_dev))
    inode = Int64(bitPattern: UInt64(status.st_ino))
    bytes = Int64(status.st_size)
    modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
    changedNanoseconds = Self.nanoseconds(status.st_ctim)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// A file may change again within one tick of its clock, and show the same time.
  func isSettled(at now: Timestamp) -> Bool {
    let newest = max(modifiedNanoseconds, changedNanoseconds)
    return now.microseconds - newest / 1_000 > Self.settlingMicroseconds
  }
  private static let settlingMicroseconds: Int64 = 2_000_000
}

/// Digests that were computed once, by what tells that a file is still the same.
package struct WeightsMemory: JSONRecord, Equatable, Sendable {
  package struct Entry: Codable, Equatable, Sendable {
    package let path: String
    package let stamp: FileStamp
    package let digest: Digest
  }

  package static let entriesLimit = 4_096
  /// The last used last.
  package private(set) var entries: [Entry]

  package init(entries: [Entry] = []) { self.entries = entries }

  package func digest(of path: String, _ stamp: FileStamp) -> Digest? {
    entries.last { $0.path == path && $0.stamp == stamp }?.digest
  }

  package mutating func remember(_ digest: Digest, of path: String, _ stamp: FileStamp) {
    entries.removeAll { $0.path == path }
    entries.append(Entry(path: path, stamp: stamp, digest: digest))
    entries.removeFirst(max(0, entries.count - Self.entriesLimit))
  }
}

/// Reads files as long as its task is not cancelled. Blocks: to be called off the threads of tasks.
package struct WeightsReader: Sendable {
  private static let chunkBytes = 4 << 20
  private static let deepest = 64
  package static let filesLimit = 100_000

  package private(set) var memory: WeightsMemory
  private let clocks: Clocks
  private let isCancelled: @Sendable () -> Bool

  package init(
    memory: WeightsMemory = WeightsMemory(), clocks: Clocks = .system,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    self.memory = memory
    self.clocks = clocks
    self.isCancelled = isCancelled
  }

  package mutating func digest(of path: String) throws(WeightsProblem) -> Digest {
    let status = try Self.status(path)
    if Self.kind(status) == S_IFREG { return try digest(ofFile: path) }
    guard Self.kind(status) == S_IFDIR else {
      throw WeightsProblem(description: "\(path) is neither a file nor a folder")
    }
    var files: [[UInt8]] = []
    try collect(path, "", [FileStamp(status).inode], &files)
    guard !files.isEmpty else { throw WeightsProblem(description: "\(path) holds no file") }
    var sum = SHA256()
    for name in files.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      let relative = String(decoding: name, as: UTF8.self)
      let digest = try digest(ofFile: "\(path)/\(relative)")
      sum.update(data: Array("\(digest)  ./".utf8) + name + [UInt8(ascii: "\n")])
    }
    return Digest(bytes: Array(sum.finalize()))
  }

  /// - Parameter above: the folders that this one lies in: one of them in it is a circle.
  private func collect(
    _ root: String, _ prefix: String, _ above: [Int64], _ files: inout [[UInt8]]
  ) throws(WeightsProblem) {
    let folder = prefix.isEmpty ? root : "\(root)/\(prefix)"
    let names: [String]
    do { names = try Files.list(folder) } catch { throw WeightsProblem(description: "\(error)") }
    for name in names {
      if isCancelled() { throw Self.cancelled }
      let relative = prefix.isEmpty ? name : "\(prefix)/\(name)"
      guard !name.utf8.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\\") })
      else {
        throw WeightsProblem(
          description:
            "\(folder) holds a name with a line break or a backslash, which has no digest")
      }
      let status = try Self.status("\(root)/\(relative)")
      switch Self.kind(status) {
      case S_IFREG:
        guard files.count < Self.filesLimit else {
          throw WeightsProblem(description: "\(root) holds more than \(Self.filesLimit) files")
        }
        files.append(Array(relative.utf8))
      case S_IFDIR:
        let inode = FileStamp(status).inode
        guard !above.contains(inode), above.count < Self.deepest else {
          throw WeightsProblem(description: "\(root)/\(relative) leads in a circle, or too deep")
        }
        try collect(root, relative, above + [inode], &files)
      default:
        throw WeightsProblem(
          description: "\(root)/\(relative) is neither a file nor a folder")
      }
    }
  }

  private mutating func digest(ofFile path: String) throws(WeightsProblem) -> Digest {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.problem("read", path, errno) }
    defer { close(descriptor) }
    let stamp = try Self.stamp(descriptor, path)
    if let known = memory.digest(of: path, stamp) { return known }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    var sum = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      if isCancelled() { throw Self.cancelled }
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count == 0 { break }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw Self.problem("read", path, errno)
      }
      sum.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    guard try Self.stamp(descriptor, path) == stamp else {
      throw WeightsProblem(description: "\(path) changed while it was read")
    }
    let digest = Digest(bytes: Array(sum.finalize()))
    if stamp.isSettled(at: clocks.date) { memory.remember(digest, of: path, stamp) }
    return digest
  }

  private static let cancelled = WeightsProblem(description: "nobody wants the digest any more")

  private static func kind(_ status: stat) -> mode_t { status.st_mode & S_IFMT }

  private static func status(_ path: String) throws(WeightsProblem) -> stat {
    var status = stat()
    guard stat(path, &status) == 0 else { throw problem("look at", path, errno) }
    return status
  }

  private static func stamp(
    _ descriptor: Int32, _ path: String
  ) throws(WeightsProblem) -> FileStamp {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw problem("look at", path, errno) }
    return FileStamp(status)
  }

  private static func problem(_ attempted: String, _ path: String, _ code: Int32) -> WeightsProblem
  {
    WeightsProblem(description: "cannot \(attempted) \(path): \(String(cString: strerror(code)))")
  }
}
