// A reader of the log at wharfd's door, for as long as a test runs: it follows the stream of events, and
// when that breaks it resumes from its checkpoint, at whichever wharfd answers.

import AsyncHTTPClient
import Foundation
import Hosting
import NIOCore
import NIOHTTP1
import Postgres
import Synchronization
import TestKit
import Testing
import Wire

final class LogTail: Sendable {
  struct Seen: Equatable, Sendable {
    let position: Int64
    let hash: String
  }

  private struct Line: Decodable {
    let checkpoint: Int64?
    let position: Int64?
    let hash: String?
  }

  private let task: Task<Void, Never>

  /// - Parameter first: which wharfd it asks first.
  init(_ wharfds: Wharfds, _ token: String, first: Int) {
    let seen = Given()
    given = seen
    task = Task {
      var number = first
      while !Task.isCancelled {
        try? await Self.follow(wharfds.url(number), token, seen)
        number = (number + 1) % Wharfds.count
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// What was given, and how far it was read.
  private final class Given: Sendable {
    let contents = Mutex<(events: [Seen], checkpoint: Int64)>(([], 0))
  }

  private let given: Given

  var events: [Seen] { given.contents.withLock { $0.events } }

  private static func follow(_ url: String, _ token: String, _ given: Given) async throws {
    let after = given.contents.withLock { $0.checkpoint }
    var request = HTTPClientRequest(url: "\(url)/v1/events/stream?after=\(after)&limit=1000")
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(300))
    guard response.status == .ok else { return }
    var rest = ByteBuffer()
    // What came after the last checkpoint is given again, as to any reader that resumes.
    var pending: [Seen] = []
    for try await part in response.body {
      var part = part
      rest.writeBuffer(&part)
      while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
        let bytes = rest.readBytes(length: end - rest.readerIndex + 1) ?? []
        let line = try JSONDecoder().decode(Line.self, from: Data(bytes))
        if let checkpoint = line.checkpoint {
          given.contents.withLock { contents in
            contents.events += pending
            contents.checkpoint = checkpoint
          }
          pending = []
        } else if let position = line.position, let hash = line.hash {
          pending.append(Seen(position: position, hash: hash))
        }
      }
    }
  }

  /// Waits until it has all that stands in the table, and compares.
  func expectTable(
    _ wharfds: Wharfds, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var connection = try wharfds.database.connect()
    let rows = try connection.query(
      "SELECT position, encode(hash, 'hex') FROM log.events ORDER BY position")
    let table = try rows.map {
      Seen(position: try $0.decode(Int64.self, at: 0), hash: try $0.decode(String.self, at: 1))
    }
    try? await eventually("the tail has all") { events.count >= table.count }
    let found = Array(events.prefix(table.count))
    #expect(
      found == table, "given: \(found.count) of \(table.count)", sourceLocation: sourceLocation)
  }

  func end() { task.cancel() }

  deinit { task.cancel() }
}
