// Asks an engine whether it answers, and by the right name. Its key goes along: an engine of
// another attempt on the same port would refuse it.

import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import Wire

package struct Prober: Sendable {
  private static let longestModelListBytes = 1 << 20

  private let client: HTTPClient

  package init(client: HTTPClient) { self.client = client }

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

  /// - Returns: the body of a 200; nil for any other status.
  private func get(_ url: String, _ key: EngineKey) async throws -> [UInt8]? {
    var request = HTTPClientRequest(url: url)
    request.headers.add(name: "authorization", value: "Bearer \(key.secret)")
    let limit = Int64(Health.probeTimeoutMilliseconds)
    return try await within(milliseconds: limit) { [client, request] in
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
