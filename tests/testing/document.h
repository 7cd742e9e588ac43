// A tree of maps, lists and scalars with an order, printed as YAML or JSON.
#ifndef NPF_TESTS_TESTING_DOCUMENT_H_
#define NPF_TESTS_TESTING_DOCUMENT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace npf::testing {

class Document {
 public:
  static Document Text(const std::string& text);  // a string, quoted
  static Document Number(int64_t number);
  static Document True();
  static Document Map() { return Document(Kind::kMap); }
  static Document List() { return Document(Kind::kList); }
  static Document Texts(const std::vector<std::string>& texts);
  // A list of what `make` makes of each item.
  template <typename T, typename Make>
  static Document ListOf(const std::vector<T>& items, Make make) {
    Document list = List();
    for (const T& item : items) list.items_.push_back(make(item));
    return list;
  }

  Document& Set(const std::string& key, Document value);  // appends to a map
  Document& SetText(const std::string& key, const std::string& text);
  bool empty() const { return fields_.empty() && items_.empty(); }

  std::string Json() const;
  // The outer maps in block style, a line for each entry, the rest in flow style.
  std::string Yaml() const;

 private:
  enum class Kind : uint8_t { kScalar, kMap, kList };
  explicit Document(Kind kind) : kind_(kind) {}
  std::string Flow(bool quote_keys) const;
  void AppendBlock(int depth, std::string& text) const;

  Kind kind_;
  std::string scalar_;  // as printed
  std::vector<std::pair<std::string, Document>> fields_;
  std::vector<Document> items_;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_DOCUMENT_H_
