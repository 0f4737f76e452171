// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// sink_probe URI [SPOOL [FORMAT]]: posts the lines "key<TAB>payload" of standard input, says
// "posted N" after each, and at the end what became of them, as probe.py does in Python.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "sink.hpp"

using namespace pamtri::sinks;

int main(int count, char** words) {
    try {
        SinkOptions options;
        if (count > 2) options.spool = words[2];
        if (count > 3 && std::string(words[3]) == "protobuf") options.format = Format::kProtobuf;
        options.on_problem = [](const std::string& text) { std::cerr << text << std::endl; };
        const auto sink = Sink::open(words[1], options);
        std::uint64_t posted = 0;
        for (std::string line; std::getline(std::cin, line);) {
            const std::size_t tab = line.find('\t');
            sink->post(line.substr(0, tab), line.substr(tab + 1));
            std::cout << "posted " << posted++ << std::endl;
        }
        sink->flush(sink->patience());
        sink->close();
        const Report report = sink->report();
        std::cout << "report {\"posted\": " << report.posted << ", \"earlier\": " << report.earlier
                  << ", \"sent\": " << report.sent << ", \"acknowledged\": " << report.acknowledged
                  << ", \"spooled\": " << report.spooled << ", \"dropped\": " << report.dropped
                  << "}" << std::endl;
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
