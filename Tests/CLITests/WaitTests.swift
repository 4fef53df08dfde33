// What waits costs next to nothing while nothing happens, and is told truly when it ends.

import ArgumentParser
import Foundation
import Hosting
import TestKit
import Testing
import Wire

@testable import CLI

@Suite struct PauseTests {
  @Test func `looks of an API that answers at once grow rarer`() async throws {
    let waiting = try WaitOptions.parse(["--wait", "--timeout", "2s"])
    var looks = 0
    let late = Failure(.timedOut, "late", help: "wait")
    let thrown = await #expect(throws: Failure.self) {
      try await waiting.poll(since: .now) {
        looks += 1
        return late
      }
    }
    #expect(thrown?.message == "late")
    // From 10 ms on a twentieth of what was waited: some 20 in the first 200 ms, and 47 for the rest.
    #expect(looks < 90, "\(looks)")
  }

  @Test func `why there was no answer is told with how long it was asked for`() {
    #expect(
      Client.told("no answer within 30 s", 1, .seconds(30)) == "no answer within 30 s")
    #expect(
      Client.told("the connection was lost", 7, .milliseconds(15_240))
        == "the connection was lost; tried 7 times in 15.2 s")
  }
}

extension AgainstWharfd {
  struct WaitTests {
    @Test func `Who waits asks seldom, and is held`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      try await admin.does("model", "publish", "xai/grok-3", "--to", "internal")
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does("team", "grant", "copilot", "xai/grok-3")
      // A gateway that is given a policy and never says that it enforces one.
      let credential = try await admin.does("gateway", "register", "edge-1", "-q")
      let gateway = try RawClient(port: Int(hosted.port))
      gateway.send(
        "GET /v1/gateway/policy?address=here&incarnation=one HTTP/1.1\nHost: localhost\n"
          + "Authorization: Bearer \(credential)\n\n")
      #expect(try await gateway.received(with: "HTTP/1.1 ").hasPrefix("HTTP/1.1 200"))

      let relay = try Relay(to: hosted.port)
      defer { relay.close() }
      let api = "http://127.0.0.1:\(relay.port)"
      let revoked = try await admin.wharf(
        "team", "revoke", "copilot", "xai/grok-3", "--wait", "--timeout", "4s", "--api", api)
      #expect(revoked.code == 4, "\(revoked)")
      #expect(revoked.err.contains("not yet enforced after 4 s by: edge-1"), "\(revoked)")
      let asked = relay.requests
      #expect((2..<15).contains(asked), "\(asked) requests")

      let created = try await admin.wharf(
        "deployment", "create", "grok", "--model", "xai/grok-3:1", "--wait", "--timeout", "4s",
        "--api", api)
      #expect(created.code == 4, "\(created)")
      #expect((2..<15).contains(relay.requests - asked), "\(relay.requests - asked) requests")
    }

    @Test func `A view that is watched is shown anew while the log stands still`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      let relay = try Relay(to: hosted.port)
      defer { relay.close() }
      let watching = try Programs.start(
        "wharf",
        ["team", "show", "copilot", "--watch", "--api", "http://127.0.0.1:\(relay.port)"],
        environment: admin.environment, folder: admin.folder)
      try await Programs.until("it is shown") { watching.output.contains("copilot") }
      let head = try await admin.does("status", "-q")
      for path in ["/v1/teams/copilot", "/v1/teams/copilot/limits"] {
        let shown = relay.requests(of: path)
        try await Programs.until("\(path) is asked for twice more") {
          relay.requests(of: path) >= shown + 2
        }
      }
      #expect(try await admin.does("status", "-q") == head)
      watching.send(SIGINT)
      #expect(try await watching.waitForExit() == .code(0))
    }

    @Test func `A watched view says how old it is, and ends with its token`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let ada = try await hosted.invited("ada", "viewer")
      let watching = try Programs.start(
        "wharf", ["status", "--watch"], environment: ada.environment, folder: ada.folder)
      try await Programs.until("it is shown") { watching.output.contains("1 provider") }
      hosted.pause()
      try await Programs.until("it says that it is old") {
        watching.errors.contains("not heard since ")
      }
      hosted.resume()
      try await admin.does("provider", "register", "openai")
      try await Programs.until("it goes on") { watching.output.contains("2 providers") }
      try await admin.does("person", "disable", "ada")
      #expect(try await watching.waitForExit() == .code(1), "\(watching.errors)")
      #expect(watching.errors.contains("help: "), "\(watching.errors)")
    }

    @Test func `Whatever ends serving is proved with the same wait`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      try await admin.does("model", "publish", "xai/grok-3", "--to", "internal")
      // A gateway that is given a policy and never says that it enforces one.
      let credential = try await admin.does("gateway", "register", "edge-1", "-q")
      let gateway = try RawClient(port: Int(hosted.port))
      gateway.send(
        "GET /v1/gateway/policy?address=here&incarnation=one HTTP/1.1\nHost: localhost\n"
          + "Authorization: Bearer \(credential)\n\n")
      #expect(try await gateway.received(with: "HTTP/1.1 ").hasPrefix("HTTP/1.1 200"))
      for verb in [
        ["provider", "suspend", "xai"], ["model", "retire", "xai/grok-3"],
      ] {
        let ran = try await Programs.run(
          "wharf", verb + ["--wait", "--timeout", "1s"], environment: admin.environment,
          folder: admin.folder)
        #expect(
          ran.code == 4 && ran.err.contains("not yet enforced after 1 s by: edge-1"), "\(ran)")
      }
    }

    @Test func `A wharfd that takes requests and answers none is told truly, with help`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin("newcomer")
      hosted.pause()
      let ran = try await admin.wharf("provider", "list")
      hosted.resume()
      #expect(ran.code == 4, "\(ran)")
      #expect(
        ran.err.contains("cannot read providers: no answer within 30 s\nhelp: see what keeps"))
      #expect(!ran.err.contains("15 s"), "\(ran)")
    }
  }
}
