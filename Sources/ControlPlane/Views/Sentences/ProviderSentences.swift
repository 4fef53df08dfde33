// What is told of providers and of agreements with them.

import Hosting

enum ProviderSentences {
  static let all: [Teller] = [
    Teller(ProviderRegistered.self) { event, telling in
      "Provider \(telling.subject) (\(event.title)) was registered."
    },
    Teller(ProviderSuspended.self) { _, telling in
      "Provider \(telling.subject) was suspended: nothing of it is served."
    },
    Teller(ProviderReinstated.self) { _, telling in
      "Provider \(telling.subject) was reinstated."
    },
    Teller(AgreementSigned.self) { event, telling in
      "An agreement with \(telling.name(event.provider)) was signed: \(terms(event.terms))."
    },
    Teller(AgreementAmended.self) { event, telling in
      "The agreement with \(telling.subject) was amended: \(terms(event.terms))."
    },
    Teller(AgreementTerminated.self) { event, telling in
      "Notice was given on the agreement with \(telling.subject): it ends on \(event.end.short)."
    },
    Teller(AgreementEnded.self) { _, telling in
      "The agreement with \(telling.subject) ended."
    },
  ]

  private static func terms(_ terms: Terms) -> String {
    let scope = Sentences.list(terms.scope.map(\.rawValue))
    let audiences = Sentences.list(terms.audiences.map(\.rawValue))
    return "\(scope) for \(audiences) teams, from \(terms.from.short)"
      + Sentences.until(terms.until)
      + ", with \(Sentences.count(terms.noticeDays, "day")) of notice"
  }
}
