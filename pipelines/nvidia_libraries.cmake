# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

# Link a plugin with NVIDIA's libraries, where they are; without them, as in a compile check, their functions
# stay open.
function(pamtri_link_nvidia PLUGIN)
    foreach(NAME ${ARGN})
        find_library(PAMTRI_LIBRARY_${NAME} ${NAME} HINTS ${PAMTRI_DEEPSTREAM}/lib ${PAMTRI_CUDA_INCLUDE}/../lib64
            PATHS /usr/lib/aarch64-linux-gnu/tegra /usr/lib/aarch64-linux-gnu/nvidia)
        if(PAMTRI_LIBRARY_${NAME})
            target_link_libraries(${PLUGIN} PRIVATE ${PAMTRI_LIBRARY_${NAME}})
        else()
            message(STATUS "lib${NAME} is not found: ${PLUGIN} is linked without it")
        endif()
    endforeach()
endfunction()
