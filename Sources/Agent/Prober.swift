// Asks an engine whether it answers, and by the right name. Its key goes along: an engine of
// another attempt on the same port would refuse it.

import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import Time
import Wire

package struct Prober: Sendable {
  private static let longestModelListBytes = 1 << 20

  private let client: HTTPClient
  private let clocks: Clocks

  package init(client: HTTPClient, clocks: Clocks = .system) {
    self.client = client
    self.clocks = clocks
  }

  /// - Parameter fully: also asks for the list of models, where the launch wants it.
  package func answers(_ attempt: AssignedAttempt, at endpoint: String, fully: Bool) async -> Bool {
    let readiness = attempt.launch.readiness
    do {
      let path = readiness.path.hasPrefix("/") ? readiness.path : "/" + readiness.path
      guard try await get(endpoint + path, attempt.engineKey) != nil else { return false }
      guard fully, readiness.listsModel else { return true }
      guard let body = try await get(endpoint + "/v1/models", attempt.engineKey) else {
        return false
      }
      return try Self.modelNames(in: body).contains(attempt.servedModelName)
    } catch {
      return false
    }
  }

  private static let longestAnswerBytes = 1 << 20

  /// Whether an engine passes the look that its template asks for: the path answers 200, and the request,
  /// where there is one, is answered in time. Too busy is an answer, too.
  package func isAlive(
    _ attempt: AssignedAttempt, at endpoint: String, _ liveness: Launch.Liveness
  ) async -> Bool {
    do {
      let path = liveness.path ?? attempt.launch.readiness.path
      let rooted = path.hasPrefix("/") ? path : "/" + path
      guard try await get(endpoint + rooted, attempt.engineKey) != nil else { return false }
      guard let small = liveness.request else { return true }
      let status = try await post(small, of: attempt, at: endpoint)
      return (200..<300).contains(status) || status == 429 || status == 503
    } catch {
      return false
    }
  }

  private func post(
    _ small: Launch.Liveness.Request, of attempt: AssignedAttempt, at endpoint: String
  ) async throws -> Int {
    let path = small.path.hasPrefix("/") ? small.path : "/" + small.path
    var request = HTTPClientRequest(url: endpoint + path)
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(attempt.engineKey.secret)")
    request.headers.add(name: "content-type", value: "application/json")
    let body = small.body.replacing("${servedModelName}", with: attempt.servedModelName)
    request.body = .bytes(Array(body.utf8))
    let limit = Int64(small.timeoutSeconds) * 1_000
    return try await within(milliseconds: limit, by: clocks) { [client, request] in
      let response = try await client.execute(request, timeout: .milliseconds(limit))
      // All of it: one that begins an answer and never ends it hangs as well.
      _ = try await response.body.collect(upTo: Self.longestAnswerBytes)
      return Int(response.status.code)
    }
  }

  /// - Returns: the body of a 200; nil for any other status.
  private func get(_ url: String, _ key: EngineKey) async throws -> [UInt8]? {
    var request = HTTPClientRequest(url: url)
    request.headers.add(name: "authorization", value: "Bearer \(key.secret)")
    let limit = Int64(Health.probeTimeoutMilliseconds)
    return try await within(milliseconds: limit, by: clocks) { [client, request] in
      let response = try await client.execute(request, timeout: .milliseconds(limit))
      let body = try await response.body.collect(upTo: Self.longestModelListBytes)
      return response.status == .ok ? Array(buffer: body) : nil
    }
  }

  static func modelNames(in body: [UInt8]) throws(JSONProblem) -> [String] {
    let document = try JSONValue(document: body)
    guard let data = try document.fields().first(where: { $0.key == "data" })?.value else {
      return []
    }
    var names: [String] = []
    for model in try data.list() {
      guard let id = try model.fields().first(where: { $0.key == "id" })?.value else { continue }
      names.append(try id.string())
    }
    return names
  }
}
