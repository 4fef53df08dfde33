// A client of the command route that knows what it was told and what it was not.

import AsyncHTTPClient
import Foundation
import Hosting
import NIOCore
import NIOHTTP1
import TestKit
import Wire

struct Client: Sendable {
  enum Outcome: Equatable, Sendable {
    case stored(Position)
    case refused(String)
    /// The same id finds out.
    case unknown
  }

  /// How long the fate of a command may stay unknown.
  static let fateSeconds = 90.0

  /// Told at once that nobody listens; the shared one would try for seconds.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(
      eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  private let wharfds: Wharfds
  private let token: String

  init(_ wharfds: Wharfds, _ token: String) {
    self.wharfds = wharfds
    self.token = token
  }

  func call(_ command: some Command) -> CommandCall {
    CommandCall(id: CommandID(bytes: (0..<16).map { _ in UInt8.random(in: 0...255) }), command)
  }

  func send(_ call: CommandCall, to number: Int, withinSeconds limit: Int64 = 15) async -> Outcome {
    var request = HTTPClientRequest(url: wharfds.url(number) + "/v1/commands")
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(call.jsonBytes)
    do {
      let response = try await Self.http.execute(request, timeout: .seconds(limit))
      let body = try await response.body.collect(upTo: 1 << 20)
      let bytes = Array(body.readableBytesView)
      switch response.status.code {
      case 200: return .stored(try CommandReply(jsonBytes: bytes).position)
      case 400..<500 where response.status != .tooManyRequests:
        return .refused("\(response.status.code) \(String(decoding: bytes, as: UTF8.self))")
      default: return .unknown
      }
    } catch { return .unknown }
  }

  /// Sends it again under its id, to whoever answers, until its fate is known.
  /// - Parameter stays: asks the same one each time: a client waits long for one that is dead.
  func settle(_ call: CommandCall, from number: Int, stays: Bool = false) async throws -> Outcome {
    var target = number
    return try await eventually("the fate of a command is known", withinSeconds: Self.fateSeconds) {
      let outcome = await send(call, to: target % Wharfds.count)
      guard outcome == .unknown else { return outcome }
      if !stays { target += 1 }
      try await Task.sleep(for: .milliseconds(50))
      return nil
    }
  }
}
