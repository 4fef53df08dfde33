// Whoever asks models through a gateway: once, until it is answered, or all the time while something
// happens.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import TestKit
import Testing

protocol HasGateway: Sendable {
  var gatewayPort: Int { get }
  /// What its programs said last, for a test that failed.
  func lastWords() -> String
}

struct Answer: Sendable {
  let status: Int
  let body: String
}

extension HasGateway {
  func ask(_ key: String, _ model: String, _ content: String = "hello") async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(gatewayPort)/v1/chat/completions")
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(key)")
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(
      Array(
        #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(content)"}]}"#.utf8))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let body = try await response.body.collect(upTo: 1 << 20)
    return Answer(status: Int(response.status.code), body: String(buffer: body))
  }

  /// Asks until it is answered.
  func answered(_ key: String, _ model: String, withinSeconds limit: Double = Pace.patienceSeconds)
    async throws
  {
    try await told(200, key, model, withinSeconds: limit)
  }

  /// Asks until it is answered with this status and words.
  func told(
    _ status: Int, saying words: String? = nil, _ key: String, _ model: String,
    withinSeconds limit: Double = Pace.patienceSeconds
  ) async throws {
    var last = "nothing"
    do {
      try await eventually("\(model) answers \(status)", withinSeconds: limit) {
        do {
          let answer = try await ask(key, model)
          last = "\(answer.status) \(answer.body)"
          return answer.status == status && words.map(answer.body.contains) ?? true
        } catch {
          last = "\(error)"
          return false
        }
      }
    } catch {
      throw TestFailure("\(error), but: \(last)\n\(lastWords())")
    }
  }
}

/// A client that asks one model all the time, one request after the other.
final class Asker: Sendable {
  struct Asked: Sendable {
    /// Since 1970.
    let sentAt: Date
    let answeredAt: Date
    let answer: Result<Answer, any Error>
    var isAnswered: Bool { (try? answer.get().status) == 200 }
  }

  private let task: Task<Void, Never>

  init(_ gateway: some HasGateway, _ key: String, _ model: String) {
    let asked = Asks()
    asks = asked
    task = Task {
      while !Task.isCancelled {
        let sentAt = Date()
        let answer: Result<Answer, any Error>
        do { answer = .success(try await gateway.ask(key, model)) } catch {
          answer = .failure(error)
        }
        if Task.isCancelled { return }
        asked.all.withLock { $0.append(Asked(sentAt: sentAt, answeredAt: Date(), answer: answer)) }
        try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
      }
    }
  }
  private static let pauseMilliseconds = 10

  private final class Asks: Sendable { let all = Mutex<[Asked]>([]) }
  private let asks: Asks

  var all: [Asked] { asks.all.withLock { $0 } }

  /// Waits until that many more were answered by the model.
  func goesOn(_ count: Int = 20, withinSeconds limit: Double = Pace.patienceSeconds) async throws {
    let before = all.count { $0.isAnswered }
    try await eventually("\(count) more requests are answered", withinSeconds: limit) {
      all.count { $0.isAnswered } >= before + count
    }
  }

  /// None of its requests, so far, was answered with anything but the model's reply.
  func expectNoFailure(sourceLocation: SourceLocation = #_sourceLocation) {
    let failed = all.filter { !$0.isAnswered }
    #expect(
      failed.isEmpty, "\(failed.count) of \(all.count) failed: \(failed.prefix(3))",
      sourceLocation: sourceLocation)
  }

  func end() { task.cancel() }

  deinit { task.cancel() }
}
