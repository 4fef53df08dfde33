// `wharf NOUN list`, for every noun: all of a list or what it is narrowed to, in its own order or another.

import ArgumentParser
import Hosting
import Wire

struct ListOptions: ParsableArguments {
  // What it takes may begin with a dash.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Order by this, as in name, id or -id: with - before it the reverse.", valueName: "field"))
  var sort: String?

  @Option(
    help: ArgumentHelp("Only these fields of -o json or yaml, as in id,name.", valueName: "fields"))
  var fields: String?

  @OptionGroup var reading: ReadOptions

  func validate() throws {
    let format = reading.output.output
    if fields != nil, format != .json, format != .yaml {
      throw ValidationError("--fields chooses of what -o json and -o yaml print: add one of them")
    }
  }
}

protocol ListVerb: AsyncParsableCommand {
  associatedtype Things: Noun
  var listing: ListOptions { get }
  /// What the list is narrowed by, as far as that was given.
  var filters: [Filter] { get }
}

/// `provider=xai`; none where nothing was given.
struct Filter {
  let name: String
  let value: String?

  init(_ name: String, _ value: String?) {
    self.name = name
    self.value = value
  }

  init(_ name: String, _ value: (some RawRepresentable<String>)?) {
    self.init(name, value?.rawValue)
  }
}

extension ListVerb {
  var filters: [Filter] { [] }

  func run() async throws {
    let asked = filters + [Filter("sort", listing.sort), Filter("fields", listing.fields)]
    let given = asked.compactMap { filter in filter.value.map { (filter.name, $0) } }
    try await listing.reading.show(
      Things.path,
      read: { client, path, query in
        try await Pages.all(of: path, query, filters: given, client)
      }
    ) { body, terminal in
      let reply = try Client.decode(ItemsReply<Things.Item>.self, body)
      return Things.list(reply.items, listing.reading.output, terminal)
    }
  }
}
