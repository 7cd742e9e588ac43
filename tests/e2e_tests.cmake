# Tests with real packets through npf-dpdk. They need root, namespaces and veth, and are skipped, and
# say why, where one is missing. One at a time: each keeps a processor busy, and waits for time-outs;
# so they begin first.
if(TARGET npf-dpdk AND NOT NPF_SANITIZE AND NOT NPF_COVERAGE)
  if(DEFINED ENV{NPF_SHARED})
    set(shared $ENV{NPF_SHARED})
  else()
    set(shared ${PROJECT_SOURCE_DIR}/../shared)
  endif()

  function(npf_wire_test name labels script)
    add_test(NAME e2e.${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${script} ${ARGN})
    set_tests_properties(e2e.${name} PROPERTIES LABELS "${labels}" RESOURCE_LOCK wire TIMEOUT 600 COST 500
                                                SKIP_RETURN_CODE 77)
  endfunction()

  set(appliance $<TARGET_FILE:npf-dpdk>)
  npf_wire_test(kubernetes e2e kubernetes_e2e.py ${appliance} ${shared} --steps 16)
  npf_wire_test(kubernetes_whole "e2e;slow" kubernetes_e2e.py ${appliance} ${shared})
  npf_wire_test(kubernetes_chain "e2e;slow" kubernetes_e2e.py ${appliance} ${shared} --chain)
  npf_wire_test(kubernetes_workers "e2e;slow" kubernetes_e2e.py ${appliance} ${shared} --workers 3)
  npf_wire_test(live e2e live.py ${appliance} ${PROJECT_SOURCE_DIR} --kills 10)
  npf_wire_test(faults e2e faults.py ${appliance} ${PROJECT_SOURCE_DIR})
  npf_wire_test(starts "e2e;slow" live.py ${appliance} ${PROJECT_SOURCE_DIR} --starts 50 starts)
  npf_wire_test(reload e2e reload.py ${appliance} --reloads 20 --restarts 1)
  npf_wire_test(reload_whole "e2e;slow" reload.py ${appliance} --fifo)
  npf_wire_test(kills "e2e;slow" live.py ${appliance} ${PROJECT_SOURCE_DIR} --kills 100 kills)
  if(TARGET npf)
    npf_wire_test(gaps e2e gaps.py $<TARGET_FILE:npf> ${appliance} ${PROJECT_SOURCE_DIR})
    npf_wire_test(pcap_equal e2e pcap_equal.py $<TARGET_FILE:npf> ${appliance} ${shared} --quick)
    npf_wire_test(pcap_equal_whole "e2e;slow" pcap_equal.py $<TARGET_FILE:npf> ${appliance} ${shared})
  endif()
endif()
