// The program wharf-gateway, as a process.

import AsyncHTTPClient
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import TestTools
import Testing
import Wire

@testable import Gateway

extension WithProcesses {
  @Suite struct ProgramTests {
    static func arguments(control: Int, port: Int = 0) -> [String] {
      [
        "run", "--server", "http://127.0.0.1:\(control)", "--listen", "127.0.0.1:\(port)",
        "--credential-file", credentialFile, "--seen-file", seenFile,
      ]
    }

    @Test func `told to stop, it finishes what is in flight and takes nothing new`() async throws {
      let engine = HeldEngine()
      try await engine.serving { enginePort in
        let control = ControlPlane(Sample.policy(port: enginePort))
        try await control.serving { controlPort in
          let program = try Program(
            "wharf-gateway", Self.arguments(control: controlPort) + ["--drain-seconds", "3600"])
          let port = try await program.number(after: "answers at port ")
          let gateway = GatewayUnderTest(port: port, gate: Gate())
          try await eventually("the policy is enforced") { control.enforced == [40] }
          var parts = try await gateway.stream().body.makeAsyncIterator()
          _ = try await parts.next()
          program.signal(SIGTERM)
          try await eventually("nothing new is taken") { (try? RawClient(port: port)) == nil }
          engine.release()
          var rest = ""
          while let part = try await parts.next() { rest += String(buffer: part) }
          #expect(rest.hasSuffix("data: [DONE]\n\n"))
          #expect(try await program.ended(withinSeconds: 10) == 0, "long before the grace is over")
        }
      }
    }

    @Test func `what is still in flight after the drain is told of the end, and ended`()
      async throws
    {
      let engine = try await Engine("--tokens-per-second", "1")
      let control = ControlPlane(Sample.policy(port: engine.port))
      try await control.serving { controlPort in
        let program = try Program(
          "wharf-gateway", Self.arguments(control: controlPort) + ["--drain-seconds", "1"])
        let port = try await program.number(after: "answers at port ")
        try await eventually("the policy is enforced") { control.enforced == [40] }
        var parts = try await GatewayUnderTest(port: port, gate: Gate()).stream().body
          .makeAsyncIterator()
        _ = try await parts.next()
        program.signal(SIGTERM)
        // Its body ends as it should: reading it to its end throws nothing.
        var rest = ""
        while let part = try await parts.next() { rest += String(buffer: part) }
        #expect(rest.hasSuffix("\n\n") && rest.contains(#""code":"gateway_stopping""#), "\(rest)")
        #expect(try await program.ended(withinSeconds: 10) == 0)
      }
    }

    @Test func `the sealed head that it believed is shown after its own death too`() async throws {
      let control = ControlPlane(Sample.policy())
      let sealed = SealedHead(head: control.policy.head, seal: .zero)
      control.sealed = sealed
      try await control.serving { controlPort in
        let arguments = Self.arguments(control: controlPort)
        let program = try Program("wharf-gateway", arguments)
        try await eventually("it is shown") { control.shown == sealed }
        program.signal(SIGKILL)
        _ = try await program.ended()
        control.sealed = nil
        let again = try Program("wharf-gateway", arguments)
        try await eventually("it is shown again") { control.shown == sealed }
        again.signal(SIGKILL)
        _ = try await again.ended()
      }
    }

    @Test func `a log that was rewritten while it was down is found, and not followed`()
      async throws
    {
      let control = ControlPlane(Sample.policy())
      try await control.serving { controlPort in
        let arguments = Self.arguments(control: controlPort)
        let program = try Program("wharf-gateway", arguments)
        try await eventually("the policy is enforced") { control.enforced == [40] }
        program.signal(SIGKILL)
        _ = try await program.ended()
        control.policy.head = Sample.head(100, hash: 8)
        let again = try Program("wharf-gateway", arguments)
        try await eventually("it says so") { again.written.contains("has two hashes") }
        #expect(control.enforced == [40], "nothing of it is applied")
        again.signal(SIGKILL)
        _ = try await again.ended()
        let seen = try #require(arguments.last)
        let accepted = try Program("wharf-gateway", ["accept-log", "--seen-file", seen])
        #expect(try await accepted.ended() == 0)
        let third = try Program("wharf-gateway", arguments)
        try await eventually("it follows the log that is") { control.enforced == [40, 40] }
        third.signal(SIGKILL)
      }
    }

    @Test func `a port that is taken is said plainly`() async throws {
      let control = ControlPlane(Sample.policy())
      try await control.serving { port in
        let program = try Program("wharf-gateway", Self.arguments(control: port, port: port))
        #expect(try await program.ended() == 1)
        #expect(program.written.contains("cannot listen at 127.0.0.1:\(port)"))
      }
    }

    @Test func `a credential file that is missing is said plainly`() async throws {
      let missing = try TestFolder().path("credential")
      let program = try Program(
        "wharf-gateway", ["run", "--listen", "127.0.0.1:0", "--credential-file", missing])
      #expect(try await program.ended() == 1)
      #expect(program.written.contains("cannot read the credential file '\(missing)'"))
    }

    @Test func `no secret is written to the log`() async throws {
      let engine = try await Engine()
      let control = ControlPlane(Sample.policy(port: engine.port))
      try await control.serving { controlPort in
        let program = try Program("wharf-gateway", Self.arguments(control: controlPort))
        let port = try await program.number(after: "answers at port ")
        try await eventually("the policy is enforced") { control.enforced == [40] }
        #expect(try await GatewayUnderTest(port: port, gate: Gate()).chat().status == 200)
        control.isSilent = true
        control.policy = control.policy.next()
        try await eventually("it complains") { program.written.contains("failed") }
        for secret in [Sample.key, Sample.engineKey.secret, ControlPlane.credential] {
          #expect(!program.written.contains(secret))
        }
        program.signal(SIGTERM)
        #expect(try await program.ended() == 0)
      }
    }
  }
}
