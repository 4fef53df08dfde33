// The address of an API as people write it: with the beginning of its paths, or with a path that is none.

import Testing
import Wire

extension AgainstWharfd {
  struct AddressPathTests {
    @Test(arguments: [
      ("http://h:7400/v1", "http://h:7400"), ("h:7400/v1/", "http://h:7400"),
      ("http://h:7400//v1//", "http://h:7400"), ("https://h/wharf/v1", "https://h/wharf"),
      ("http://v1", "http://v1"), ("http://h/wharfv1", "http://h/wharfv1"),
    ])
    func `an address may end in what all paths begin with`(_ given: String, _ read: String) throws {
      #expect(try ServerAddress(given).text == read)
    }

    @Test(arguments: ["http://h:7400?x=1", "http://h:7400/#a", "http:///v1", "http://h/v1?"])
    func `a question or a fragment is no address`(_ given: String) {
      #expect(throws: (any Error).self) { try ServerAddress(given) }
    }

    @Test func `an address with a path that is not there is wrong usage, and says so`() async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let someone = try hosted.admin()
      let meant = try await someone.wharf("status", "--api", hosted.api + "/v1")
      #expect(meant.code == 0, "\(meant)")
      let wrong = try await someone.wharf("status", "--api", hosted.api + "/api")
      #expect(wrong.code == 2, "\(wrong)")
      #expect(wrong.err.contains("the address \(hosted.api)/api has a path"), "\(wrong.err)")
      #expect(wrong.err.contains("leave it out: --api \(hosted.api)\n"), "\(wrong.err)")
    }
  }
}
