// Where `wharf` finds its API and token, and what it does when answers are lost.

import Foundation
import Glibc
import TestKit
import Testing

extension AgainstWharfd {
  struct ConnectionTests {
    @Test func `Login keeps a token that only its owner can read`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      var ada = try hosted.someone("ada")
      let invitation = try await hosted.admin().does(
        "person", "invite", "ada", "--role", "operator", "-q")
      #expect(
        try await ada.does("login", "--invitation", invitation)
          == "logged in to \(hosted.api) as ada (operator)")
      ada.environment["WHARF_API"] = nil
      #expect(try await ada.does("whoami").hasPrefix("ada (operator, person/"))
      let path = "\(ada.folder)/.config/wharf/credentials.json"
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      #expect(try !Programs.text(URL(fileURLWithPath: path)).contains(invitation))
      let again = try await ada.wharf("login", "--invitation", invitation)
      #expect(again.code == 1)
      #expect(try await ada.does("whoami").hasPrefix("ada"), "a failed login keeps the old token")

      let token = try Programs.text(URL(fileURLWithPath: hosted.tokenFile))
      try await ada.does("login", "--api", hosted.api, "--token", "-", input: token)
      #expect(try await ada.does("whoami").hasPrefix("admin"))
      #expect(try await ada.wharf("login").code == 2)
    }

    @Test func `A wharf up that runs here is found by itself`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      var someone = try hosted.someone("someone")
      someone.environment["WHARF_API"] = nil
      // As `wharf up` leaves it: a record of the system, and in its data folder one of wharfd.
      let folder = "\(someone.folder)/.local/state/wharf/systems"
      for made in [folder, "\(someone.folder)/run"] {
        try FileManager.default.createDirectory(atPath: made, withIntermediateDirectories: true)
      }
      let up =
        #"{"api":"\#(hosted.api)","gateway":"http://127.0.0.1:1","tokenFile":"\#(hosted.tokenFile)","data":"\#(someone.folder)"}"#
      try Data(up.utf8).write(to: URL(fileURLWithPath: "\(folder)/1.json"))
      #expect(try await someone.wharf("whoami").code != 0, "nothing runs there")
      try Data(hosted.record().utf8).write(
        to: URL(fileURLWithPath: "\(someone.folder)/run/wharfd.pid"))
      let whoami = try await someone.does("whoami")
      #expect(whoami.hasPrefix("admin (admin, person/") && whoami.hasSuffix(" at \(hosted.api)"))
      // A named API gets no token that was not meant for it.
      let other = try await someone.wharf("whoami", "--api", "http://0.0.0.0:\(hosted.port)")
      #expect(other.code == 1 && other.err.contains("carries no token"))
      // Another way to write its address is no other API.
      for address in ["http://localhost:\(hosted.port)/", "HTTP://LocalHost:\(hosted.port)"] {
        #expect(try await someone.does("whoami", "--api", address) == whoami)
      }
    }

    @Test func `A command whose wharfd dies is sent again, and done once`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let head = try await hosted.admin().does("status", "-q")
      // Who has seen nothing of the log yet has nothing to compare, and sends at once. Stopped, it
      // takes the connection and cannot answer: the command is on its way when it dies.
      let admin = try hosted.admin("newcomer")
      let relay = try Relay(to: hosted.port)
      defer { relay.close() }
      hosted.pause()
      async let registered = admin.wharf(
        "provider", "register", "xai", "--api", "http://127.0.0.1:\(relay.port)")
      try await Programs.until("the command is on its way") {
        relay.requests(of: "/v1/commands") > 0
      }
      hosted.stop(by: SIGKILL)
      try await hosted.start()
      let ran = try await registered
      #expect(ran.code == 0, "\(ran)")
      let history = try await admin.does("history", "provider", "xai", "-q")
      #expect(try #require(Int(history)) > (try #require(Int(head))))
    }

    @Test func `A log that was rewritten is found, loudly`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let position = try await admin.next()
      try await admin.does("provider", "register", "xai")
      let heads = "\(admin.folder)/.local/state/wharf/heads.json"
      let file = URL(fileURLWithPath: heads)
      let kept = try Programs.text(file)
      let pattern = /"hash":"([0-9a-f]{64})"/
      let hash = try #require(kept.firstMatch(of: pattern)).output.1
      // The same position with another hash.
      let other = String(hash.reversed())
      try Data(kept.replacing(hash, with: other).utf8).write(to: file)
      let rewritten = try await admin.wharf("provider", "list")
      #expect(rewritten.code == 1 && rewritten.out.isEmpty)
      #expect(
        rewritten.err.hasPrefix(
          "error: WARNING: the log was rewritten: position \(position) of era 1"))
      // On purpose.
      try await admin.does("login", "--forget")
      #expect(try await admin.does("provider", "list", "-q") == "xai")
      // A position that the leader does not have: somebody saw this log go further, so the wharfd steps
      // down and answers nothing more from it.
      try Data(kept.replacing("\"position\":\(position)", with: "\"position\":500").utf8).write(
        to: file)
      let short = try await admin.wharf("provider", "list")
      #expect(short.code == 1 && short.out.isEmpty, "\(short)")
      #expect(short.err.contains("position 500"), "\(short)")
    }

    @Test func `A fresh log at a known address is told once, and what is sent there is done`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      for name in ["a", "b", "c"] { try await hosted.admin().does("provider", "register", name) }
      let before = try await hosted.admin().does("head", "--key")
      // Another system on the same port: another database, and another cluster secret.
      hosted.stop()
      for file in ["\(hosted.folder)/secret", hosted.tokenFile] {
        try FileManager.default.removeItem(atPath: file)
      }
      // What the wharfd of the first system saw is no matter of the second.
      try hosted.forgetSeen()
      let other = try await TestCluster.shared().makeDatabase()
      hosted.database = other.url
      try await hosted.start(as: "another")
      let admin = try hosted.admin()
      // The command itself is the first that sees it.
      let told = try await admin.wharf("provider", "register", "xai")
      #expect(told.code == 0, "\(told)")
      let name = try #require(before.split(separator: "+").first)
      #expect(told.err.hasPrefix("note: another log answers at \(hosted.api) now: wharf/"))
      #expect(told.err.contains("before it was \(name), seen up to position "), "\(told)")
      let again = try await admin.wharf("provider", "list", "-q")
      #expect(again.code == 0 && again.out == "xai\n" && again.err.isEmpty, "\(again)")
      hosted.stop()
      try await other.cluster.drop(other)
    }

    @Test(arguments: [502, 200])
    func `A page that a proxy puts before the log changes nothing that is remembered of it`(
      status: Int
    ) async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let file = URL(fileURLWithPath: "\(admin.folder)/.local/state/wharf/heads.json")
      let kept = try Programs.text(file)
      hosted.stop()
      let page = try Page(hosted, status)
      try await Programs.until("the page is served") { page.isServed }
      for command in [["provider", "list"], ["provider", "register", "other"]] {
        let ran = try await Programs.run(
          "wharf", command, environment: admin.environment, folder: admin.folder)
        #expect(ran.code == 3 && ran.out.isEmpty, "\(ran)")
        #expect(ran.err.contains("is not Wharf's API (status \(status))"), "\(ran)")
      }
      #expect(!page.requests.contains("POST"), "nothing is sent to what names no log")
      try await page.stop()
      #expect(try Programs.text(file) == kept)
      try await hosted.start(as: "newcomer")
      let again = try await admin.wharf("provider", "list", "-q")
      #expect(again.code == 0 && again.out == "xai\n" && again.err.isEmpty, "\(again)")
    }

    @Test func `Of a rewritten log the alarm comes before a command is done`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let file = URL(fileURLWithPath: "\(admin.folder)/.local/state/wharf/heads.json")
      let kept = try Programs.text(file)
      let hash = try #require(kept.firstMatch(of: /"hash":"([0-9a-f]{64})"/)).output.1
      try Data(kept.replacing(hash, with: String(hash.reversed())).utf8).write(to: file)
      let ran = try await admin.wharf("provider", "register", "late")
      #expect(ran.code == 1 && ran.err.contains("WARNING: the log was rewritten"), "\(ran)")
      #expect(try await hosted.admin("auditor").does("provider", "list", "-q") == "xai")
    }

    @Test func `Watching shows each change, and Ctrl-C ends it well`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let child = try Programs.start(
        "wharf", ["provider", "list", "--watch"], environment: admin.environment,
        folder: admin.folder)
      try await Programs.until("the first picture") { child.output.contains("no providers") }
      try await admin.does("provider", "register", "xai")
      try await Programs.until("the change") { child.output.contains("xai") }
      child.send(SIGINT)
      #expect(try await child.waitForExit() == .code(0))
      #expect(child.errors.isEmpty)
    }

    @Test func `Events are followed by type, once each, also when wharfd is killed meanwhile`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "early")
      let child = try Programs.start(
        "wharf", ["events", "--follow", "--type", "providerRegistered", "--limit", "1"],
        environment: admin.environment, folder: admin.folder)
      func follows(_ name: String) async throws {
        try await Programs.until(name) { child.output.contains("name=\(name)") }
      }
      try await follows("early")
      try await admin.does("provider", "suspend", "early")
      try await admin.does("provider", "register", "live")
      try await follows("live")
      hosted.stop(by: SIGKILL)
      try await hosted.start()
      try await admin.does("provider", "register", "later")
      try await follows("later")
      child.send(SIGINT)
      try await child.waitForExit()
      let lines = child.output.split(separator: "\n")
      #expect(
        lines.count == 3 && lines.allSatisfy { $0.contains("providerRegistered") }, "\(lines)")
      #expect(child.errors.isEmpty)
    }
  }
}

/// A page in the place of a wharfd, as a proxy gives one.
private final class Page {
  private let child: Child

  init(_ hosted: Hosted, _ status: Int) throws {
    let program =
      """
      import http.server
      class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
          print(self.command, self.path, flush=True)
          self.send_response(\(status)); self.send_header("content-length", "4"); self.end_headers()
          self.wfile.write(b"page")
        do_POST = do_GET
        def log_message(self, *more): pass
      server = http.server.HTTPServer(("127.0.0.1", \(hosted.port)), Page)
      print("ready", flush=True)
      server.serve_forever()
      """
    child = try Child(
      ["python3", "-u", "-c", program], environment: ["PATH": "/usr/bin:/bin"],
      folder: hosted.folder)
  }

  var requests: String { child.output }
  var isServed: Bool { requests.contains("ready") }

  func stop() async throws {
    child.send(SIGKILL)
    try await child.waitForExit()
  }
}
