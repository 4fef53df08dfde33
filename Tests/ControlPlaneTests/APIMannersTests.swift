// The API's manners of HTTP, met by clients that write bytes: what its own parts add to those of the
// server beneath.

import HTTPTypes
import Hosting
import Hummingbird
import HummingbirdTesting
import TestKit
import TestTools
import Testing
import Wire

@testable import ControlPlane

@Suite(.database, .bounded) struct APIMannersTests {
  @Test func `methods, headers and bodies that do not fit are answered in the API's form`()
    async throws
  {
    let rig = try await APIRig.leading(TestDatabase.current)
    let application = rig.server.application(onListening: { _ in })
    try await application.test(.live) { client in
      let port = try #require(client.port)
      func ask(_ request: String, _ body: String = "") async throws -> String {
        let client = try RawClient(port: port)
        client.send("\(request)\nconnection: close\n\n\(body)")
        return try await client.whole()
      }
      let wrong = try await ask("DELETE /v1/teams HTTP/1.1\nhost: x")
      #expect(wrong.hasPrefix("HTTP/1.1 405"))
      #expect(wrong.lowercased().contains("allow: get, head"))
      #expect(wrong.contains(#""code":"methodNotAllowed""#))
      #expect(try await ask("DELETE /v1/nonsense HTTP/1.1\nhost: x").hasPrefix("HTTP/1.1 404"))
      let head = try await ask("HEAD /health HTTP/1.1\nhost: x")
      #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
      let long = try await ask("GET /health HTTP/1.1\nx: \(String(repeating: "x", count: 40_000))")
      #expect(long.hasPrefix("HTTP/1.1 431") && long.contains(#""code":"headerTooLong""#))
      let packed = try await ask(
        "POST /v1/commands HTTP/1.1\nhost: x\ncontent-encoding: gzip\ncontent-length: 2", "{}")
      #expect(packed.hasPrefix("HTTP/1.1 415"))
      let broken = try await ask(
        "POST /v1/commands HTTP/1.1\nhost: x\nauthorization: Bearer \(APIRig.admin.text)\n"
          + "transfer-encoding: chunked", "nonsense\n")
      #expect(broken.hasPrefix("HTTP/1.1 400") && broken.contains(#""code":"malformedRequest""#))
      let held = try RawClient(port: port)
      held.send(
        "POST /v1/commands HTTP/1.1\nhost: x\nauthorization: Bearer \(APIRig.admin.text)\n"
          + "expect: 100-continue\ncontent-length: 2\n\n")
      _ = try await held.received(with: "HTTP/1.1 100 Continue\r\n\r\n")
      held.send("{}")
      _ = try await held.received(with: "HTTP/1.1 400")
    }
    await rig.stop()
  }

  @Test
  func `pages of a listed origin may use the API and read what its answers say, and no others`()
    async throws
  {
    let (own, foreign) = ("https://a.example", "https://b.example")
    let rig = try await APIRig.leading(.current, origins: [own])
    let application = rig.server.application(onListening: { _ in })
    try await application.test(.live) { client in
      let port = try #require(client.port)
      func ask(_ request: String, from origin: String, _ more: String = "") async throws -> String {
        let client = try RawClient(port: port)
        client.send("\(request) HTTP/1.1\nhost: x\norigin: \(origin)\nconnection: close\n\(more)\n")
        return try await client.whole().lowercased()
      }
      let allows = "access-control-allow-origin"
      let asking =
        "access-control-request-method: POST\naccess-control-request-headers: authorization\n"
      let preflight = try await ask("OPTIONS /v1/commands", from: own, asking)
      #expect(preflight.hasPrefix("http/1.1 204"), "\(preflight)")
      #expect(preflight.contains("\(allows): \(own)\r\n"))
      #expect(preflight.contains("access-control-allow-headers: authorization\r\n"))
      #expect(preflight.contains("access-control-allow-methods: get, head, post\r\n"))
      #expect(try await !ask("OPTIONS /v1/commands", from: foreign, asking).contains(allows))
      let authorization = "authorization: Bearer \(APIRig.admin.text)\n"
      // A refusal may be read, too.
      for (path, token, status) in [
        ("/v1/whoami", authorization, 200), ("/v1/whoami", "", 401),
        ("/v1/nowhere", authorization, 404),
      ] {
        let read = try await ask("GET \(path)", from: own, token)
        #expect(read.hasPrefix("http/1.1 \(status)") && read.contains("\(allows): \(own)\r\n"))
        let fields = read.split(separator: "\r\n")
        let exposed = try #require(
          fields.first { $0.hasPrefix("access-control-expose-headers: ") }, "\(read)")
        let ours = fields.compactMap { $0.split(separator: ":").first }
          .filter { $0.hasPrefix("wharf-") }
        #expect(ours.contains("wharf-head") && ours.contains("wharf-log"), "\(read)")
        for field in ours { #expect(exposed.contains(field), "\(exposed)") }
        #expect(try await !ask("GET \(path)", from: foreign, token).contains(allows))
      }
    }
    await rig.stop()
  }

  @Test func `a path names the methods that it answers to`() {
    let methods = AllowedMethods()
    methods.learn([
      ("/v1/teams", .get), ("/v1/teams/{name}", .get), ("/v1/commands", .post),
      ("/v1/models/**", .get),
    ])
    #expect(methods.of("/v1/teams/copilot") == "GET, HEAD")
    #expect(methods.of("/v1/commands") == "POST")
    #expect(methods.of("/v1/models/xai/grok-3") == "GET, HEAD")
    #expect(methods.of("/v1/models") == nil)
    #expect(methods.of("/v1/nothing") == nil)
  }
}
